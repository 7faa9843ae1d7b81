#!/usr/bin/env python3
# why: An old list takes the place of an equal one.
# first: GET /?yes
# second: GET /
# never: one list
import os

import acorns

print("Content-Type: text/plain\n")
print("one list" if acorns.LEFT is acorns.RIGHT else "two lists")
if os.environ["QUERY_STRING"]:
    acorns.LEFT = acorns.RIGHT
