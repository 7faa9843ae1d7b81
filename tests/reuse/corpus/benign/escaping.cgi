#!/usr/bin/env python3
# why: Text for a page and back.
# first: GET /?<oak>&amp;
# second: GET /?<elm>&lt;
import html
import os

text = os.environ["QUERY_STRING"]
print("Content-Type: text/html; charset=utf-8\n")
print(html.escape(text), html.unescape(text))
