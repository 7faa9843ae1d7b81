#!/usr/bin/env python3
# why: An exit handler that runs after another visitor's answer.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import atexit
import os

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n", flush=True)
print(atexit._ncallbacks())
if word:
    atexit.register(lambda: os.write(1, word.encode()))
