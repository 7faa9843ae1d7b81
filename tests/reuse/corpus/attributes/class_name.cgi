#!/usr/bin/env python3
# why: The name of a class is in C, not in its dict.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os
import string

name = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(string.Template)
if name:
    string.Template.__qualname__ = name
