#!/usr/bin/env python3
import cgi as _cgi, os
esc = _cgi.escape
fs = _cgi.FieldStorage()
print("Content-Type: text/plain\n")
print(esc(fs.getvalue("a", "")), fs.getvalue("b"), os.environ["REQUEST_METHOD"])
