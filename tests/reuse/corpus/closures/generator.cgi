#!/usr/bin/env python3
# why: A generator stands still with the values of the last request.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os

import journal

print("Content-Type: text/plain\n")
print(journal.NOTES.send(os.environ["QUERY_STRING"]))
