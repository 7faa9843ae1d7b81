#!/usr/bin/env python3
# why: Nor is its name.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import html
import os

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(html.escape)
if word:
    html.escape.__qualname__ = word
