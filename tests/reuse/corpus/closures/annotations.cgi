#!/usr/bin/env python3
# why: The annotations of an old function.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import html
import os

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(html.escape.__annotations__)
if word:
    html.escape.__annotations__["s"] = word
