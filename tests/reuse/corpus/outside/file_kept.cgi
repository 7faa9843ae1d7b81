#!/usr/bin/env python3
# why: A file that an old module holds open.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os
import string
import tempfile

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
if word:
    string.kept = tempfile.TemporaryFile("w+")
    string.kept.write(word)
elif hasattr(string, "kept"):
    string.kept.seek(0)
    print(string.kept.read())
