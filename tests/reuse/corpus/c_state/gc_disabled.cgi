#!/usr/bin/env python3
# why: The collector is off for all who come later.
# first: GET /?yes
# second: GET /
# never: collector off
import gc
import os

print("Content-Type: text/plain\n")
print("collector", "on" if gc.isenabled() else "off")
if os.environ["QUERY_STRING"]:
    gc.disable()
