#!/usr/bin/env python3
# why: An old object changes its class to another old one: no dict changes.
# first: GET /?yes
# second: GET /
# never: is a Logger
import logging
import os

print("Content-Type: text/plain\n")
print("is a", type(logging.root).__name__)
if os.environ["QUERY_STRING"]:
    logging.root.__class__ = logging.Logger
