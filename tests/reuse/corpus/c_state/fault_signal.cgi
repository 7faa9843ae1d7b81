#!/usr/bin/env python3
# why: A signal on which C shows where Python is.
# first: GET /?yes
# second: GET /
# never: was registered
import faulthandler
import os
import signal

print("Content-Type: text/plain\n")
if faulthandler.unregister(signal.SIGUSR1):
    print("was registered")
if os.environ["QUERY_STRING"]:
    faulthandler.register(signal.SIGUSR1)
