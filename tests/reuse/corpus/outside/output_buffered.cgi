#!/usr/bin/env python3
# why: Output that waits in the buffer of the original stream.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os
import sys

word = os.environ["QUERY_STRING"]
original = sys.__stdout__
print("Content-Type: text/plain\n", flush=True)
original.flush()
if word:
    original.write(word)
