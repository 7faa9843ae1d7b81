#!/usr/bin/env python3
# why: The limits of pyexpat's objects of an old module.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os
import pyexpat

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(pyexpat.errors.messages.get(7731))
if word:
    pyexpat.errors.messages[7731] = word
