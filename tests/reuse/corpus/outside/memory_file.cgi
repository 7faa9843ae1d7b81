#!/usr/bin/env python3
# why: A file that is in no file system.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
for descriptor in range(3, 200):
    try:
        print(os.readlink(f"/proc/self/fd/{descriptor}"))
    except OSError:
        pass
if word:
    os.memfd_create(word)
