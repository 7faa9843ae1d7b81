#!/usr/bin/env python3
# why: How often others asked shows in the statistics of a cache.
# first: GET /?7
# second: GET /
# never: misses=7
import fnmatch
import os

count = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
for number in range(int(count or 0)):
    fnmatch.fnmatch("name", f"pattern{number}*")
print(fnmatch._compile_pattern.cache_info())
