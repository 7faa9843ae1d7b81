#!/usr/bin/env python3
# why: How long a thread runs before another one does.
# first: GET /?7
# second: GET /
# never: 7.0
import os
import sys

seconds = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(sys.getswitchinterval())
if seconds:
    sys.setswitchinterval(float(seconds))
