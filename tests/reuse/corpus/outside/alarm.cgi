#!/usr/bin/env python3
# why: A clock that rings in a later request.
# first: GET /?773
# second: GET /
# never: still 77
import os
import signal

seconds = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print("still", signal.alarm(int(seconds or 0)))
