#!/usr/bin/env python3
# why: A handler of errors by name.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import codecs
import os

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
try:
    print("ü".encode("ascii", "trees"))
except LookupError as error:
    print(error)
if word:
    codecs.register_error("trees", lambda error: (word, error.end))
