#!/usr/bin/env python3
# why: The same in a library that lies in a folder of its own.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "library"))
import basket

thing = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(basket.put(thing))
