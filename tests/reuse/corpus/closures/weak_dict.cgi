#!/usr/bin/env python3
# why: The registry of named log handlers; the handler is held by a cycle.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import logging
import os

name = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(sorted(logging._handlers))
if name:
    handler = logging.NullHandler()
    handler.set_name(name)
    handler.myself = handler
    del handler
