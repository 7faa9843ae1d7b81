#!/usr/bin/env python3
# why: A name that `sys` does not have at the start.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os
import sys

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(getattr(sys, "ps1", None))
if word:
    sys.ps1 = word
