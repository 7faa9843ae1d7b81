#!/usr/bin/env python3
# why: A program that is started and waited for.
# first: GET /?oak7731
# second: GET /?elm
import os
import subprocess

word = os.environ["QUERY_STRING"]
done = subprocess.run(["/bin/echo", word], capture_output=True, text=True, check=True)
print("Content-Type: text/plain\n")
print(done.stdout)
