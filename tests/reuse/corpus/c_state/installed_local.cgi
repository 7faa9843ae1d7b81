#!/usr/bin/env python3
# why: A variable of the thread, in an installed package.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os

from kept_local import LOCAL

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(getattr(LOCAL, "customer", None))
if word:
    LOCAL.customer = word
