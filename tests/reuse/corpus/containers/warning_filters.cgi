#!/usr/bin/env python3
# why: A list of filters that C code reads, too.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os
import warnings

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(warnings.filters)
if word:
    warnings.filterwarnings("ignore", message=word)
