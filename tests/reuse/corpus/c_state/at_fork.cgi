#!/usr/bin/env python3
# why: What is registered for forks can never be taken back.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n", flush=True)
child = os.fork()
if not child:
    os._exit(0)
os.waitpid(child, 0)
if word:
    os.register_at_fork(before=lambda: print(word, flush=True))
