#!/usr/bin/env python3
# why: The second of two random numbers waits in the module's object.
# first: GET /?oak7731
# second: GET /
# never: waits
import os
import random

print("Content-Type: text/plain\n")
print("waits" if random.getstate()[2] else "nothing")
if os.environ["QUERY_STRING"]:
    random.gauss(0, 1)
