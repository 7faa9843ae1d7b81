#!/usr/bin/env python3
# why: A function of the standard library is wrapped.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import html
import os

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(html.escape("a text"))
if word:
    original = html.escape
    html.escape = lambda text, quote=True: original(text, quote) + word
