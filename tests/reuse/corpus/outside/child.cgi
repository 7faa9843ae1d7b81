#!/usr/bin/env python3
# why: A child that goes on after the answer.
# first: GET /?yes
# second: GET /
# never: still running
import os

print("Content-Type: text/plain\n", flush=True)
try:
    print("still running" if os.waitpid(-1, os.WNOHANG)[0] == 0 else "it ended")
except ChildProcessError:
    print("no child")
if os.environ["QUERY_STRING"]:
    read, write = os.pipe()
    if not os.fork():
        for descriptor in (0, 1, 2, write):
            os.close(descriptor)
        os.read(read, 1)
        os._exit(0)
    os.close(read)
