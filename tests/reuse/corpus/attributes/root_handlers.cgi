#!/usr/bin/env python3
# why: What `basicConfig` does; the second call does nothing, and the first one's format stays.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import logging
import os
import sys

who = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n", flush=True)
logging.basicConfig(stream=sys.stdout, format=f"[{who or 'nobody'}] %(message)s")
print([handler.formatter._fmt for handler in logging.root.handlers])
