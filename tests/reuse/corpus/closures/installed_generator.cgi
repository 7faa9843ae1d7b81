#!/usr/bin/env python3
# why: A generator of an installed package, which stands still elsewhere than before.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os

import kept_generator

print("Content-Type: text/plain\n")
print(kept_generator.NOTES.send(os.environ["QUERY_STRING"]))
