#!/usr/bin/env python3
# why: The error number that ctypes keeps for the thread.
# first: GET /?7731
# second: GET /
# never: errno 7731
import ctypes
import os

number = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print("errno", ctypes.get_errno())
if number:
    ctypes.set_errno(int(number))
