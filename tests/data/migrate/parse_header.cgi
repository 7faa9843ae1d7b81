#!/usr/bin/env python3
import cgi, os

ctype, pdict = cgi.parse_header(os.environ.get("CONTENT_TYPE", "text/plain; charset=latin-1"))
print("Content-Type: text/plain\n")
print(ctype, sorted(name for name in pdict))
print(cgi.parse_header('form-data; name="a\\"b"; filename="x;y.txt"'))
