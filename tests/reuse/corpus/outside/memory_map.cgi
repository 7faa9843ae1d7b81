#!/usr/bin/env python3
# why: Memory that an old module keeps mapped.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import mmap
import os
import string

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
if word:
    string.kept = mmap.mmap(-1, 4096)
    string.kept.write(word.encode())
elif hasattr(string, "kept"):
    print(string.kept[:7])
