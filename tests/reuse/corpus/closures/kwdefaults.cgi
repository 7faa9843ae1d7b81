#!/usr/bin/env python3
# why: An item of the dict of keyword defaults: it is not tracked either.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import json
import os

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(json.dumps([1]))
if word:
    json.dumps.__kwdefaults__["indent"] = word
