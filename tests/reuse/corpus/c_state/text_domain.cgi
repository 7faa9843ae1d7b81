#!/usr/bin/env python3
# why: The C library's own domain for translations.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import locale
import os

word = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(locale.textdomain(None))
if word:
    locale.textdomain(word)
