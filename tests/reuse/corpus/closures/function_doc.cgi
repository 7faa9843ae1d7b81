#!/usr/bin/env python3
# why: The documentation of a function is not in a dict.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import html
import os

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(html.escape.__doc__)
if word:
    html.escape.__doc__ = word
