#!/usr/bin/env python3
# why: A table of strings in the standard library; a dict of strings is not tracked by the collector.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import email.charset
import os

name = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(sorted(email.charset.ALIASES))
if name:
    email.charset.ALIASES[name] = "utf-8"
