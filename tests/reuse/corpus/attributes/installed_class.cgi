#!/usr/bin/env python3
# why: A class of an installed package, used as a register.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os

from kept_class import Basket

thing = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(Basket().things)
if thing:
    Basket().put(thing)
