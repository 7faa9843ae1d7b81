#!/usr/bin/env python3
# why: A number in an old object: no object is new.
# first: GET /?77
# second: GET /
# never: level 77
import logging
import os

level = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print("level", logging.getLogger().level)
if level:
    logging.getLogger().setLevel(int(level))
