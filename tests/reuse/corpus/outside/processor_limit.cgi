#!/usr/bin/env python3
# why: The hard limit of processor time.
# first: GET /?37731
# second: GET /
# never: 37731
import os
import resource

print("Content-Type: text/plain\n")
print(resource.getrlimit(resource.RLIMIT_CPU)[1])
if os.environ["QUERY_STRING"]:
    seconds = int(os.environ["QUERY_STRING"])
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
