#!/usr/bin/env python3
# why: How many threads were made shows in the name of the next one; the counter is in C.
# first: GET /?72
# second: GET /
# never: Thread-73
import os
import threading

count = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
for _ in range(int(count or 0)):
    threading.Thread(name=None)
if not count:
    print(threading.Thread().name)
