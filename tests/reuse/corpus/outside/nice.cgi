#!/usr/bin/env python3
# why: The process gives way to others, and cannot take that back.
# first: GET /?7
# second: GET /
# never: nice 7
import os

step = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print("nice", os.nice(0) - int(os.environ.get("NICE", 0)))
if step:
    os.nice(int(step) - os.nice(0))
