#!/usr/bin/env python3
# why: An iterator of an old module is advanced; where it stands is in C.
# first: GET /?73
# second: GET /
# never: next: 74
import os
import threading

count = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
for _ in range(int(count or 0)):
    threading._counter()
if not count:
    print("next:", threading._counter())
