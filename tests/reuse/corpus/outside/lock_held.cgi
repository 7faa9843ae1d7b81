#!/usr/bin/env python3
# why: A lock that is never let go.
# first: GET /?yes
# second: GET /
# never: busy
import fcntl
import os

print("Content-Type: text/plain\n")
descriptor = os.open("lock", os.O_RDWR | os.O_CREAT, 0o600)
try:
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    print("free")
except OSError:
    print("busy")
if not os.environ["QUERY_STRING"]:
    os.close(descriptor)
