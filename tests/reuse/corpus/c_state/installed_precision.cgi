#!/usr/bin/env python3
# why: A decimal context of the package's own.
# first: GET /?73
# second: GET /
# never: prec=73
import os

from kept_precision import CONTEXT

digits = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(CONTEXT)
if digits:
    CONTEXT.prec = int(digits)
