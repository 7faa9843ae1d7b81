#!/usr/bin/env python3
# why: A variable that only a closure knows, in an installed package.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os

import kept_cell

print("Content-Type: text/plain\n")
print(kept_cell.note(os.environ["QUERY_STRING"]))
