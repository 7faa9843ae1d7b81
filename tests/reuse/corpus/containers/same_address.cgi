#!/usr/bin/env python3
# why: The new string lies where the freed old one was: addresses alone tell nothing.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import os
import urllib.parse

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(urllib.parse.uses_query)
if word:
    urllib.parse.uses_query.append("elm" + str(len(word)) + "xyz")
    address = id(urllib.parse.uses_query.pop())
    for _ in range(1000):
        new = "".join(word)
        if id(new) == address:
            break
    urllib.parse.uses_query[0] = new
