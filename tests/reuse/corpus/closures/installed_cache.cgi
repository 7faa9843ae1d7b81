#!/usr/bin/env python3
# why: A result for one visitor in the cache of an installed package.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os

import kept_cache

print("Content-Type: text/plain\n")
print(kept_cache.name())
