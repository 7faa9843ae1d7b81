#!/usr/bin/env python3
# why: A bytearray in a dict, and one in a tuple, of an installed package.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os

import acorns

print("Content-Type: text/plain\n")
print(acorns.BY_NAME["last"].decode(), acorns.IN_ROW[0].decode())
if os.environ["QUERY_STRING"]:
    acorns.BY_NAME["last"][:] = os.environ["QUERY_STRING"].encode()
