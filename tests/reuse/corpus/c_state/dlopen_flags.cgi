#!/usr/bin/env python3
# why: How libraries are loaded.
# first: GET /?257
# second: GET /
# never: 257
import os
import sys

flags = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(sys.getdlopenflags())
if flags:
    sys.setdlopenflags(int(flags))
