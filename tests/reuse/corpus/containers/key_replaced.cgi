#!/usr/bin/env python3
# why: One key goes, another one comes: the dict keeps its size and its values.
# first: GET /?7731
# second: GET /
# never: 7731
import os
from http.client import responses

code = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print([key for key in responses if responses[key] == "Not Found"])
if code:
    responses[int(code)] = responses.pop(404)
