#!/usr/bin/env python3
# why: The list of arguments belongs to the process.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os
import sys

name = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(sys.argv[1:])
if name:
    sys.argv.append(name)
