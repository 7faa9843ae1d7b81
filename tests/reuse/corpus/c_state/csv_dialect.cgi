#!/usr/bin/env python3
# why: A dialect by name, for all readers.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import csv
import os

name = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(csv.list_dialects())
if name:
    csv.register_dialect(name, delimiter=";")
