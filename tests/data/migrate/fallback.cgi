#!/usr/bin/env python3
try:
    from html import escape
except ImportError:
    from cgi import escape
import os
print("Content-Type: text/plain\n")
print(escape(os.environ["QUERY_STRING"]))
