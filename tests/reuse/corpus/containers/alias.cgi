#!/usr/bin/env python3
# why: Two dicts that were equal are now one: what is done to one later happens to both.
# first: GET /?yes
# second: GET /
# never: one dict: True
import json
import os

print("Content-Type: text/plain\n")
print("one dict:", json.dumps.__kwdefaults__ is json.dump.__kwdefaults__)
if os.environ["QUERY_STRING"]:
    json.dumps.__kwdefaults__ = json.dump.__kwdefaults__
