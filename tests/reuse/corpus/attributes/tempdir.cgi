#!/usr/bin/env python3
# why: A global of a module, meant to be set by its users.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os
import tempfile

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(tempfile.tempdir)
if word:
    tempfile.tempdir = "/nowhere/" + word
