#!/usr/bin/env python3
# why: A list of `sys` that holds nothing at the start.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os
import sys

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(sys.warnoptions)
if word:
    sys.warnoptions.append(word)
