#!/usr/bin/env python3
# why: The modes of the files that are made later.
# first: GET /?73
# second: GET /
# never: umask 73
import os

bits = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
before = os.umask(0)
os.umask(before)
print(f"umask {before:o}")
if bits:
    os.umask(int(bits, 8))
