#!/usr/bin/env python3
# why: The same strings in another order: no object is new.
# first: GET /?yes
# second: GET /
# never: ['yield'
import keyword
import os

print("Content-Type: text/plain\n")
print(keyword.kwlist)
if os.environ["QUERY_STRING"]:
    keyword.kwlist.reverse()
