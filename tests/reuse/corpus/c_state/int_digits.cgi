#!/usr/bin/env python3
# why: How long numbers in words may be.
# first: GET /?7731
# second: GET /
# never: 7731
import os
import sys

digits = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(sys.get_int_max_str_digits())
if digits:
    sys.set_int_max_str_digits(int(digits))
