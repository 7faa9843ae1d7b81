#!/usr/bin/env python3
# why: A name in a module of the library itself.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os

import cgikit.html

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(getattr(cgikit.html, "customer", None))
if word:
    cgikit.html.customer = word
