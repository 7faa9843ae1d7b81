#!/usr/bin/env python3
# why: The working directory.
# first: GET /?yes
# second: GET /
# never: in the root
import os

print("Content-Type: text/plain\n")
print("in the root" if os.getcwd() == "/" else "elsewhere")
if os.environ["QUERY_STRING"]:
    os.chdir("/")
