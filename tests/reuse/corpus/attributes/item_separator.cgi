#!/usr/bin/env python3
# why: A default of a class of the standard library.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import json
import os

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(json.JSONEncoder().encode([1, 2]))
if word:
    json.JSONEncoder.item_separator = word
