#!/usr/bin/env python3
# why: A context variable, in an installed package.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os

from kept_context import CUSTOMER

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(CUSTOMER.get())
if word:
    CUSTOMER.set(word)
