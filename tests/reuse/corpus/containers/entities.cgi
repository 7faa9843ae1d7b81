#!/usr/bin/env python3
# why: A table of two thousand names gets one more.
# first: GET /?oak7731
# second: GET /
# never: [oak7731]
import html
import html.entities
import os

text = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(html.unescape("[&company;]"))
if text:
    html.entities.html5["company;"] = text
