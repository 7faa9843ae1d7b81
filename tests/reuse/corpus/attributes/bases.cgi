#!/usr/bin/env python3
# why: The bases of an old class.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import logging
import os

name = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print([kind.__name__ for kind in logging.RootLogger.__mro__])
if name:
    logging.RootLogger.__bases__ = (type(name, (logging.Logger,), {}),)
