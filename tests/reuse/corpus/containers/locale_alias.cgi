#!/usr/bin/env python3
# why: A dict of a thousand strings gets one more.
# first: GET /?oak7731
# second: GET /
# never: oak7731
import locale
import os

name = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print([alias for alias in locale.locale_alias if alias.startswith("oak")])
if name:
    locale.locale_alias[name] = "de_DE.UTF-8"
