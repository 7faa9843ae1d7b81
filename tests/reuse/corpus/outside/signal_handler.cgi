#!/usr/bin/env python3
# why: Who handles a signal.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os
import signal

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(getattr(signal.getsignal(signal.SIGUSR1), "__doc__", None))
if word:

    def handle(number, frame):
        pass

    handle.__doc__ = word
    signal.signal(signal.SIGUSR1, handle)
