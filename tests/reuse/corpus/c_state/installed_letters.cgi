#!/usr/bin/env python3
# why: An iterator over a string; where it is, is in C.
# first: GET /?yes
# second: GET /
# never: 'o'
import os

from kept_letters import LETTERS

print("Content-Type: text/plain\n")
print(repr(next(LETTERS)))
if os.environ["QUERY_STRING"]:
    for _ in range(2):
        next(LETTERS)
