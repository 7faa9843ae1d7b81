#!/usr/bin/env python3
# why: A value is replaced: the dict keeps its size.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os
from http.client import responses

text = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(responses[404])
if text:
    responses[404] = text
