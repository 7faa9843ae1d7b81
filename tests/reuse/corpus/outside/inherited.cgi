#!/usr/bin/env python3
# why: A descriptor that the programs inherit which a later request starts.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os
import subprocess
import tempfile

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n", flush=True)
subprocess.run(["/bin/sh", "-c", "cat <&9"], close_fds=False, stderr=subprocess.DEVNULL)
if word:
    with tempfile.TemporaryFile() as file:
        file.write(word.encode())
        file.seek(0)
        os.dup2(file.fileno(), 9)
