#!/usr/bin/env python3
# why: The numbers of an array.
# first: GET /?77
# second: GET /
# never: 77
import os

from kept_array import NUMBERS

number = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(NUMBERS)
if number:
    NUMBERS[0] = int(number)
