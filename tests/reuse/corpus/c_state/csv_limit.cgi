#!/usr/bin/env python3
# why: How long a field may be, for all readers.
# first: GET /?7731
# second: GET /
# never: 7731
import csv
import os

limit = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(csv.field_size_limit())
if limit:
    csv.field_size_limit(int(limit))
