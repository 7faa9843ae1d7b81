#!/usr/bin/env python3
# why: An alias for an encoding, before and in the cache of codecs.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import encodings.aliases
import os

name = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print([alias for alias in encodings.aliases.aliases if alias.startswith("oak")])
if name:
    encodings.aliases.aliases[name] = "utf_8"
