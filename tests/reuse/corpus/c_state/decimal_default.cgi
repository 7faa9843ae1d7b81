#!/usr/bin/env python3
# why: The context that new threads begin with.
# first: GET /?73
# second: GET /
# never: prec=73
import decimal
import os

digits = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(decimal.DefaultContext)
if digits:
    decimal.DefaultContext.prec = int(digits)
