#!/usr/bin/env python3
# why: Variables that a script sets for the programs that it starts.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os

name = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(os.environ.get("CUSTOMER"))
if name:
    os.environ["CUSTOMER"] = name
