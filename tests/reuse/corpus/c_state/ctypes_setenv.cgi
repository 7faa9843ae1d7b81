#!/usr/bin/env python3
# why: A variable that only C code and started programs see.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import ctypes
import os

word = os.environ["QUERY_STRING"]
libc = ctypes.CDLL(None)
print("Content-Type: text/plain\n", flush=True)
libc.getenv.restype = ctypes.c_char_p
print(libc.getenv(b"CUSTOMER"))
if word:
    libc.setenv(b"CUSTOMER", word.encode(), 1)
