#!/usr/bin/env python3
# why: Every allocation is recorded from now on.
# first: GET /?7
# second: GET /
# never: limit 7
import os
import tracemalloc

frames = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print("limit", tracemalloc.get_traceback_limit(), tracemalloc.is_tracing())
if frames:
    tracemalloc.start(int(frames))
