#!/usr/bin/env python3
# why: An attribute of the object `os.environ`, whose contents are reset.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(getattr(os.environ, "customer", None))
if word:
    os.environ.customer = word
