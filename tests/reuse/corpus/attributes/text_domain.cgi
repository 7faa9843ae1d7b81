#!/usr/bin/env python3
# why: Python's own gettext keeps the domain in a global.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import gettext
import os

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(gettext.textdomain())
if word:
    gettext.textdomain(word)
