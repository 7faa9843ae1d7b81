#!/usr/bin/env python3
# why: Code objects are not tracked by the collector.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import html
import os

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(html.escape("text"))
if word:
    html.escape.__code__ = eval(f"lambda s, quote=True: {word!r}").__code__
