#!/usr/bin/env python3
# why: The list in which subprocess keeps the processes that nobody waited for.
# first: GET /?yes
# second: GET /
# never: 1 process
import os
import subprocess
import warnings

print("Content-Type: text/plain\n", flush=True)
print(len(subprocess._active), "process")
if os.environ["QUERY_STRING"]:
    read, write = os.pipe()
    process = subprocess.Popen(["/bin/cat"], stdin=read, stdout=subprocess.DEVNULL)
    os.close(read)
    warnings.simplefilter("ignore")
    del process
