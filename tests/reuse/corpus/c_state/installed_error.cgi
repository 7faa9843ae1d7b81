#!/usr/bin/env python3
# why: Numbers of an exception that are in C.
# first: GET /?7
# second: GET /
# never: start 7
import os

from kept_error import ERROR

number = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print("start", ERROR.start)
if number:
    ERROR.start = int(number)
