#!/usr/bin/env python3
# why: Signals of faults write into a file of the request.
# first: GET /?yes
# second: GET /
# never: enabled True
import faulthandler
import os

print("Content-Type: text/plain\n")
print("enabled", faulthandler.is_enabled())
if os.environ["QUERY_STRING"]:
    faulthandler.enable()
