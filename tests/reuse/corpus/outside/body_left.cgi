#!/usr/bin/env python3
# why: A body that is not read to its end waits in the buffer of `sys.stdin`.
# first: POST /?yes first=elm&last=oak7731
# second: POST / a=1
# never: oak7731
import os
import sys

print("Content-Type: text/plain\n")
if os.environ["QUERY_STRING"]:
    sys.stdin.read(6)
else:
    print(sys.stdin.read())
