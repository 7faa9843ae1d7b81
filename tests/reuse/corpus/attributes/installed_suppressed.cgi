#!/usr/bin/env python3
# why: Whether an old exception shows the one before it.
# first: GET /?yes
# second: GET /
# never: True
import os

import acorns

print("Content-Type: text/plain\n")
print(acorns.ERROR.__suppress_context__)
if os.environ["QUERY_STRING"]:
    acorns.ERROR.__suppress_context__ = True
