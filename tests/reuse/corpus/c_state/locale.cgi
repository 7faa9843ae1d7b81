#!/usr/bin/env python3
# why: The locale of the C library.
# first: GET /?C.UTF-8
# second: GET /
# never: C.UTF-8
import locale
import os

name = os.environ["QUERY_STRING"]
print("Content-Type: text/plain\n")
print(locale.setlocale(locale.LC_NUMERIC))
if name:
    locale.setlocale(locale.LC_NUMERIC, name)
