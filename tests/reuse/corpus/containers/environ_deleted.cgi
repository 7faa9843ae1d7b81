#!/usr/bin/env python3
# why: A variable is taken away for good.
# first: GET /?yes
# second: GET /
# never: path gone
import os

print("Content-Type: text/plain\n")
print("path", "there" if "PATH" in os.environ else "gone")
if os.environ["QUERY_STRING"]:
    del os.environ["PATH"]
