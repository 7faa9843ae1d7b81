#!/usr/bin/env python3
# why: A variable that only C code and started programs see.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os
import subprocess

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n", flush=True)
subprocess.run(["/bin/sh", "-c", "echo $CUSTOMER"], check=False, env=None)
if word:
    os.putenv("CUSTOMER", word)
