#!/usr/bin/env python3
# why: A namespace object of `sys`.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os
import sys

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(sys.implementation)
if word:
    sys.implementation.customer = word
