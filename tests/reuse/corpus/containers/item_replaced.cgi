#!/usr/bin/env python3
# why: An item of a list is replaced: the list keeps its length.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os
import urllib.parse

scheme = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(urllib.parse.uses_params)
if scheme:
    urllib.parse.uses_params[1] = scheme
