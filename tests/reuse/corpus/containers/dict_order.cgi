#!/usr/bin/env python3
# why: The same keys and values in another order: no object is new, and no size changes.
# first: GET /?100
# second: GET /
# never: last: 100
import os
from http.client import responses

code = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print("last:", int(list(responses)[-1]))
if code:
    responses[int(code)] = responses.pop(int(code))
