#!/usr/bin/env python3
# why: A function that sees every call that comes later.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os
import sys

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(getattr(sys.gettrace(), "__doc__", None))
if word:

    def trace(frame, event, argument):
        return None

    trace.__doc__ = word
    sys.settrace(trace)
