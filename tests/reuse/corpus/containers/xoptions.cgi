#!/usr/bin/env python3
# why: A dict of `sys` that is empty at the start.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os
import sys

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(sys._xoptions)
if word:
    sys._xoptions[word] = True
