#!/usr/bin/env python3
# why: How many files may be open.
# first: GET /?73
# second: GET /
# never: limit 73
import os
import resource

count = os.environ["QUERY_STRING"]
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
print("Content-Type: text/plain\n")
print("limit", resource.getrlimit(resource.RLIMIT_NOFILE)[0])
if count:
    resource.setrlimit(resource.RLIMIT_NOFILE, (int(count), hard))
