"""The script of legacy-cgi with one line changed."""

import html

from cgikit.compat import cgi

form = cgi.FieldStorage()
name = form.getfirst("name", "world")
print("Content-Type: text/html; charset=utf-8")
print()
print(f"<p>Hello, {html.escape(name)}!</p>")
