#!/usr/bin/env python3
# why: When the collector works.
# first: GET /?7731
# second: GET /
# never: 7731
import gc
import os

count = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(gc.get_threshold())
if count:
    gc.set_threshold(int(count))
