#!/usr/bin/env python3
# why: The message of a warning stays in the module that it is about.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import html
import os
import warnings

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(html.__dict__.get("__warningregistry__"))
if word:
    registry = html.__dict__.setdefault("__warningregistry__", {})
    warnings.warn_explicit(word, UserWarning, "html.py", 1, registry=registry)
