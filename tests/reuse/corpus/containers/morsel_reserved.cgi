#!/usr/bin/env python3
# why: What scripts did to send SameSite before Python knew it.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os
from http.cookies import Morsel

name = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(sorted(Morsel._reserved.values()))
if name:
    Morsel._reserved[name] = name
