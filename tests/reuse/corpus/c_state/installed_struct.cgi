#!/usr/bin/env python3
# why: A compiled format can be given another one.
# first: GET /?7s
# second: GET /
# never: 7s
import os

from kept_struct import FORMAT

text = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(FORMAT.format)
if text:
    FORMAT.__init__(text)
