#!/usr/bin/env python3
# why: The cell of a closure gets another value.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os

import journal

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(journal.name())
if word:
    journal.name.__closure__[0].cell_contents = word
