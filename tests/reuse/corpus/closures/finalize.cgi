#!/usr/bin/env python3
# why: Who is called when an old object ends; the arguments are kept until then.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import html
import os
import weakref

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print([info.args for info in weakref.finalize._registry.values()])
if word:
    weakref.finalize(html.escape, str, word).atexit = False
