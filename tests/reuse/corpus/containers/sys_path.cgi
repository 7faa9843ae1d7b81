#!/usr/bin/env python3
# why: A folder stays on the path: the next import may find other code there.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os
import sys

name = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(sys.path)
if name:
    sys.path.insert(0, os.path.join("/nowhere", name))
