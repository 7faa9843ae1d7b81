#!/usr/bin/env python3
# why: A generator that goes round and comes back to the same line.
# first: GET /?yes
# second: GET /
# never: 3
import os

import kept_loop

print("Content-Type: text/plain\n")
print(next(kept_loop.NUMBERS))
if os.environ["QUERY_STRING"]:
    next(kept_loop.NUMBERS)
