#!/usr/bin/env python3
# why: The main thread is an old object.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os
import threading

name = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(threading.current_thread().name)
if name:
    threading.current_thread().name = name
