#!/usr/bin/env python3
# why: Functions that the collector calls.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import gc
import os

name = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print([callback.__doc__ for callback in gc.callbacks])
if name:

    def callback(phase, info):
        pass

    callback.__doc__ = name
    gc.callbacks.append(callback)
