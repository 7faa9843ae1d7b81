#!/usr/bin/env python3
# why: The random numbers of the C library follow from the seed.
# first: GET /?1
# second: GET /
# never: known
import ctypes
import os

seed = os.environ["QUERY_STRING"]
libc = ctypes.CDLL(None)
print("Content-Type: text/plain\n")
if seed:
    libc.srand(int(seed))
    libc.rand()
else:
    now = libc.rand()
    libc.srand(1)
    libc.rand()
    print("known" if now == libc.rand() else "another")
