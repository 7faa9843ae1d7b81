#!/usr/bin/env python3
# why: An old set gets a member.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os
from http.cookies import Morsel

name = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(sorted(Morsel._flags))
if name:
    Morsel._flags.add(name)
