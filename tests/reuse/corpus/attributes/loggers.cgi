#!/usr/bin/env python3
# why: A logger of its own for each name; they are kept for ever.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import logging
import os

who = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(sorted(logging.Logger.manager.loggerDict))
if who:
    logging.getLogger(f"customer.{who}")
