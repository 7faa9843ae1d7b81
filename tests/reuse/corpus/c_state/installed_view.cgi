#!/usr/bin/env python3
# why: A view of memory that was released.
# first: GET /?yes
# second: GET /
# never: released
import os

import acorns

print("Content-Type: text/plain\n")
print(str(acorns.VIEW).split()[0])
if os.environ["QUERY_STRING"]:
    acorns.VIEW.release()
