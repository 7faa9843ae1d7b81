#!/usr/bin/env python3
# why: A descriptor to which Python writes the numbers of signals.
# first: GET /?yes
# second: GET /
# never: woken
import os
import signal

print("Content-Type: text/plain\n")
if os.environ["QUERY_STRING"]:
    read, write = os.pipe()
    os.set_blocking(write, False)
    signal.set_wakeup_fd(write)
else:
    print("woken" if signal.set_wakeup_fd(-1) >= 0 else "quiet")
