#!/usr/bin/env python3
# why: The precision of all computations of the thread.
# first: GET /?73
# second: GET /
# never: prec=73
import decimal
import os

digits = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(decimal.getcontext())
if digits:
    decimal.getcontext().prec = int(digits)
