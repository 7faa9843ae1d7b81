#!/usr/bin/env python3
# why: The last exception, with all the frames that it holds.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os
import sys

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(repr(getattr(sys, "last_value", None)))
if word:
    try:
        raise ValueError(word)
    except ValueError as error:
        sys.last_value = error
