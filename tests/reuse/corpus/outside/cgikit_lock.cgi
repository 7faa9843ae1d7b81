#!/usr/bin/env python3
# why: The library's own lock, entered and never left.
# first: GET /?yes
# second: GET /
# never: busy
import os
import string

from cgikit import lock

print("Content-Type: text/plain\n")
held = lock("file", timeout=0)
try:
    held.__enter__()
    print("free")
except TimeoutError:
    print("busy")
if os.environ["QUERY_STRING"]:
    string.kept = held
