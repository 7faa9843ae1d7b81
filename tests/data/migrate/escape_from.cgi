#!/usr/bin/env python3
from cgi import escape, FieldStorage

def page(text):
    return "<p>" + escape(text, quote=0) + "</p>"

form = FieldStorage()
print("Content-Type: text/html\n")
print(page(form.getvalue("q") or ""))
print(escape("<done>"))
