#!/usr/bin/env python3
# why: A variable of the thread that is in an object of the library.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import asyncio.events as events
import os

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(getattr(events._running_loop, "customer", None))
if word:
    events._running_loop.customer = word
