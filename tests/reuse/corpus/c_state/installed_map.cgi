#!/usr/bin/env python3
# why: Memory of the package's own.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os

from kept_map import MEMORY

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(MEMORY[:7])
if word:
    MEMORY[:7] = word.encode()
