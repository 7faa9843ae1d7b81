#!/usr/bin/env python3
# why: A child that nobody waits for: its exit status waits.
# first: GET /?73
# second: GET /
# never: status 73
import os

status = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n", flush=True)
try:
    print("status", os.waitstatus_to_exitcode(os.wait()[1]))
except ChildProcessError:
    print("no child")
if status:
    if not os.fork():
        os._exit(int(status))
