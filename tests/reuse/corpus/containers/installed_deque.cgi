#!/usr/bin/env python3
# why: A ring that is turned: the same objects in another order.
# first: GET /?yes
# second: GET /
# never: ['last'
import os

from kept_deque import RING

print("Content-Type: text/plain\n")
print(list(RING))
if os.environ["QUERY_STRING"]:
    RING.rotate(1)
