#!/usr/bin/env python3
# why: A dict that belongs to a module in C.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import errno
import os

name = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(errno.errorcode.get(7731))
if name:
    errno.errorcode[7731] = name
