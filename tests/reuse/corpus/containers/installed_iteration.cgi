#!/usr/bin/env python3
# why: A key in a dict that says nothing of it when it is iterated over.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os

import acorns

print("Content-Type: text/plain\n")
print(acorns.HIDING.keys())
if os.environ["QUERY_STRING"]:
    value = acorns.HIDING.pop(*acorns.HIDING.keys())
    acorns.HIDING[os.environ["QUERY_STRING"]] = value
