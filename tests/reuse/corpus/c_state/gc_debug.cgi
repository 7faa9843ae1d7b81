#!/usr/bin/env python3
# why: What the collector keeps, instead of freeing it.
# first: GET /?32
# second: GET /
# never: debug 32
import gc
import os

flags = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print("debug", gc.get_debug())
if flags:
    gc.set_debug(int(flags))
