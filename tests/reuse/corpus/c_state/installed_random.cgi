#!/usr/bin/env python3
# why: How many random numbers were drawn from a generator of the package's own.
# first: GET /?yes
# second: GET /
# never: 0.6394
import os

from kept_random import RANDOM

print("Content-Type: text/plain\n")
if os.environ["QUERY_STRING"]:
    RANDOM.seed(42)
else:
    print(f"{RANDOM.random():.4f}")
