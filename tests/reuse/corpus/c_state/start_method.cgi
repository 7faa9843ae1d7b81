#!/usr/bin/env python3
# why: How processes are started is decided once for the process.
# first: GET /?spawn
# second: GET /
# never: method spawn
import multiprocessing
import os

method = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print("method", multiprocessing.get_start_method(allow_none=True))
if method:
    multiprocessing.set_start_method(method, force=True)
