#!/usr/bin/env python3
# why: A class that is garbage is still among the subclasses of its base until a collection.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import logging
import os

name = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print([kind.__name__ for kind in logging.Handler.__subclasses__()])
if name:
    type(name, (logging.Handler,), {})
