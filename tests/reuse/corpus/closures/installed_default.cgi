#!/usr/bin/env python3
# why: The list as a default, in a package that is installed and loaded before the first visitor.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os

import kept_default

thing = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(kept_default.put(thing))
