#!/usr/bin/env python3
# why: A cache of catalogues that a function gives out itself.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import gettext
import os

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(gettext._translations)
if word:
    gettext._translations[gettext.NullTranslations, word] = word
