#!/usr/bin/env python3
# why: The module that a function written in C says it is from.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os

print("Content-Type: text/plain\n")
print(len.__module__)
if os.environ["QUERY_STRING"]:
    len.__module__ = os.environ["QUERY_STRING"]
