#!/usr/bin/env python3
# why: A descriptor without any object.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os
import tempfile

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
for descriptor in range(3, 200):
    try:
        print(os.pread(descriptor, 99, 0))
    except OSError:
        pass
if word:
    descriptor, name = tempfile.mkstemp()
    os.unlink(name)
    os.write(descriptor, word.encode())
