#!/usr/bin/env python3
# why: How deep calls may go.
# first: GET /?7731
# second: GET /
# never: 7731
import os
import sys

depth = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(sys.getrecursionlimit())
if depth:
    sys.setrecursionlimit(int(depth))
