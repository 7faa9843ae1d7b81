#!/usr/bin/env python3
# why: A queue in C.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os

from kept_queue import QUEUE

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(None if QUEUE.empty() else QUEUE.get())
if word:
    QUEUE.put(word)
