#!/usr/bin/env python3
# why: A lock that a package made, taken and not given back.
# first: GET /?yes
# second: GET /
# never: taken: True
import os

from kept_lock import LOCK

print("Content-Type: text/plain\n")
print("taken:", LOCK.locked())
if os.environ["QUERY_STRING"]:
    LOCK.acquire()
