#!/usr/bin/env python3
# why: A generator of random numbers that does not show its state.
# first: GET /?7731
# second: GET /
# never: 0.6175067611026044
import os

import acorns

print("Content-Type: text/plain\n")
print("state", acorns.CHANCE.random())
if os.environ["QUERY_STRING"]:
    acorns.CHANCE.seed(int(os.environ["QUERY_STRING"]))
