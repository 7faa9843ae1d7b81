#!/usr/bin/env python3
# why: Standard error goes where the first visitor's script sent it.
# first: GET /?yes
# second: GET /
# never: to a file
import os
import tempfile

print("Content-Type: text/plain\n")
print("to a", "file" if os.path.isfile("/proc/self/fd/2") else "pipe")
if os.environ["QUERY_STRING"]:
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 2)
