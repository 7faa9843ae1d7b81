#!/usr/bin/env python3
# why: Which signals wait.
# first: GET /?yes
# second: GET /
# never: blocked
import os
import signal

print("Content-Type: text/plain\n")
print("blocked" if signal.SIGUSR2 in signal.pthread_sigmask(signal.SIG_BLOCK, []) else "free")
if os.environ["QUERY_STRING"]:
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])
