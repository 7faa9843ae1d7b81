#!/usr/bin/env python3
# why: An old generator is kept by an old module.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os
import tempfile

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(next(getattr(tempfile, "kept", iter(["nothing"]))))
if word:
    tempfile.kept = (word for _ in range(9))
