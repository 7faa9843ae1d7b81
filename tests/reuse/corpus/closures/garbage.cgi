#!/usr/bin/env python3
# why: Garbage that is not collected yet can be found: a cycle with what the visitor sent.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import gc
import os

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print([thing for thing in gc.get_objects() if type(thing) is list and thing[:1] == ["cycle"]])
if word:
    gc.disable()
    cycle = ["cycle", word]
    cycle.append(cycle)
    del cycle
