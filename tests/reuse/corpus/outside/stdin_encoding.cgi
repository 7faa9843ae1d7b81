#!/usr/bin/env python3
# why: The standard streams are reconfigured.
# first: GET /?utf-16-le
# second: GET /
# never: utf-16-le
import os
import sys

name = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(sys.stdin.encoding)
if name:
    sys.stdin.reconfigure(encoding=name)
