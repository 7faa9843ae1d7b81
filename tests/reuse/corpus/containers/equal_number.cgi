#!/usr/bin/env python3
# why: A value that is equal to the old one and is shown otherwise: nothing else changes.
# first: GET /?yes
# second: GET /
# never: False
import logging
import os

print("Content-Type: text/plain\n")
print(logging.getLevelNamesMapping()["NOTSET"])
if os.environ["QUERY_STRING"]:
    logging._nameToLevel["NOTSET"] = False
