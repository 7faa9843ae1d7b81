#!/usr/bin/env python3
# why: The event loop of the thread.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import asyncio
import os

word = os.environ["QUERY_STRING"]
policy = asyncio.get_event_loop_policy()
print("Content-Type: text/plain\n")
print(getattr(policy._local, "_loop", None) and policy._local._loop.customer)
if word:
    loop = asyncio.new_event_loop()
    loop.customer = word
    asyncio.set_event_loop(loop)
