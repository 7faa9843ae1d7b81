#!/usr/bin/env python3
# why: A clock that counts processor time.
# first: GET /?773
# second: GET /
# never: still 77
import os
import signal

seconds = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print("still", int(signal.setitimer(signal.ITIMER_VIRTUAL, int(seconds or 0))[0]))
