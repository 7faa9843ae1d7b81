#!/usr/bin/env python3
# why: A signal that waits to be let through.
# first: GET /?yes
# second: GET /
# never: pending
import os
import signal

print("Content-Type: text/plain\n")
print("pending" if signal.SIGUSR2 in signal.sigpending() else "none")
if os.environ["QUERY_STRING"]:
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])
    os.kill(os.getpid(), signal.SIGUSR2)
