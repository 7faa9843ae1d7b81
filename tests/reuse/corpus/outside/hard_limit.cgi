#!/usr/bin/env python3
# why: A limit that cannot be raised again.
# first: GET /?7731
# second: GET /
# never: 7731
import os
import resource

size = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(resource.getrlimit(resource.RLIMIT_CORE))
if size:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_MEMLOCK, (7731, 7731))
print(resource.getrlimit(resource.RLIMIT_MEMLOCK) if not size else "")
