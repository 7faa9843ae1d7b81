#!/usr/bin/env python3
# why: A property that is computed once for an object that all share.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os

import customer

print("Content-Type: text/plain\n")
print(customer.CUSTOMER.name)
