#!/usr/bin/env python3
# why: All instances share one dict.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os

from settings import Settings

name = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(vars(Settings()))
if name:
    Settings().customer = name
