#!/usr/bin/env python3
# why: None in `sys.modules` forbids an import; no object is new but a string.
# first: GET /?textwrap
# second: GET /
# never: forbidden
import os
import sys

name = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print("forbidden" if "sched" in sys.modules and sys.modules["sched"] is None else "free")
if name:
    sys.modules["sched"] = None
