#!/usr/bin/env python3
# why: How late timers may be.
# first: GET /?773100
# second: GET /
# never: 773100
import os

time = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
with open("/proc/self/timerslack_ns") as file:
    print(file.read())
if time:
    with open("/proc/self/timerslack_ns", "w") as file:
        file.write(time)
