#!/usr/bin/env python3
# why: What `ps` shows.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os

name = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
with open("/proc/self/comm") as file:
    print(file.read())
if name:
    with open("/proc/self/comm", "w") as file:
        file.write(name)
