#!/usr/bin/env python3
# why: How many frames coroutines remember.
# first: GET /?73
# second: GET /
# never: depth 73
import os
import sys

depth = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print("depth", sys.get_coroutine_origin_tracking_depth())
if depth:
    sys.set_coroutine_origin_tracking_depth(int(depth))
