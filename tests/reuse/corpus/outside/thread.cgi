#!/usr/bin/env python3
# why: A thread that goes on after the answer.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os
import threading

name = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print([thread.name for thread in threading.enumerate()])
if name:
    threading.Thread(target=threading.Event().wait, name=name, daemon=True).start()
