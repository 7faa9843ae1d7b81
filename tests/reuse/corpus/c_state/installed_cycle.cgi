#!/usr/bin/env python3
# why: An iterator that goes round; where it is, is in C.
# first: GET /?yes
# second: GET /
# never: third
import os

from kept_cycle import WORDS

print("Content-Type: text/plain\n")
print(next(WORDS))
if os.environ["QUERY_STRING"]:
    next(WORDS)
