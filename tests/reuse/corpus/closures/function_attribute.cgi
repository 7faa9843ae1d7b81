#!/usr/bin/env python3
# why: A function that counts in an attribute of its own.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import html
import os

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(vars(html.escape))
if word:
    html.escape.customer = word
