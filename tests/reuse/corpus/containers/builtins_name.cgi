#!/usr/bin/env python3
# why: A new name that every module sees.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import builtins
import os

name = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(getattr(builtins, "customer", None))
if name:
    builtins.customer = name
