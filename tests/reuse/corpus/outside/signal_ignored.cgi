#!/usr/bin/env python3
# why: A signal that all started programs ignore, too.
# first: GET /?yes
# second: GET /
# never: ignored
import os
import signal

print("Content-Type: text/plain\n")
print("ignored" if signal.getsignal(signal.SIGTERM) == signal.SIG_IGN else "heeded")
if os.environ["QUERY_STRING"]:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
