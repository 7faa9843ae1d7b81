#!/usr/bin/env python3
# why: A result that depends on the request is kept by `lru_cache`.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os

import customer

print("Content-Type: text/plain\n")
print(customer.name())
