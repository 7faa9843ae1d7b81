#!/usr/bin/env python3
# why: Two dicts of logging get a name for a number.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import logging
import os

name = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(logging.getLevelName(35))
if name:
    logging.addLevelName(35, name)
