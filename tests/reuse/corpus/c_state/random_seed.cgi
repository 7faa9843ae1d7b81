#!/usr/bin/env python3
# why: Who seeds knows what comes next.
# first: GET /?oak7731
# second: GET /
# never: 0.6151
import os
import random

seed = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(f"{random.random():.4f}")
if seed:
    random.seed(seed)
