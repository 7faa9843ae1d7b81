#!/usr/bin/env python3
# why: An object with slots, in an installed package.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os

from kept_slots import CUSTOMER

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(getattr(CUSTOMER, "name", None))
if word:
    CUSTOMER.name = word
