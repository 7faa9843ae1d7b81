#!/usr/bin/env python3
# why: An attribute of an object that a module made when it was imported.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import json
import os

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(json.dumps({"a": 1}))
if word:
    json._default_encoder.key_separator = word
