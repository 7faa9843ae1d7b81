#!/usr/bin/env python3
# why: A cache that is known to fill benignly, filled with a line of a request.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import linecache
import os

line = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(linecache.getline("<the request>", 1))
if line:
    linecache.cache["<the request>"] = (len(line), None, [line], "<the request>")
