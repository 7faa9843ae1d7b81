#!/usr/bin/env python3
# why: What old scripts do at their start, and what is set anew for each request.
# first: GET /?oak7731
# second: GET /?elm
import locale
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
os.umask(0o022)
locale.setlocale(locale.LC_ALL, "")
print("Content-Type: text/plain\n")
print(os.environ["QUERY_STRING"], locale.localeconv()["decimal_point"])
