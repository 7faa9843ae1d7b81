#!/usr/bin/env python3
# why: A file left open in place of standard input.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os
import tempfile

print("Content-Type: text/plain\n")
try:
    print(os.pread(70, 99, 0).decode())
except OSError:
    print("no file")
if os.environ["QUERY_STRING"]:
    place, name = tempfile.mkstemp()
    os.unlink(name)
    os.write(place, os.environ["QUERY_STRING"].encode())
    os.dup2(place, 70)
    os.close(place)
    os.close(0)
