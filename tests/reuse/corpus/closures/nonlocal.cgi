#!/usr/bin/env python3
# why: A variable of a function that has returned.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os

import journal

print("Content-Type: text/plain\n")
print(journal.note(os.environ["QUERY_STRING"]))
