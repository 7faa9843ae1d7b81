#!/usr/bin/env python3
# why: The classic: a list as the default of a parameter, in a module beside the script.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os

import basket

thing = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(basket.put(thing))
