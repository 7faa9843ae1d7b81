"""cgi.FieldStorage, as scripts used it for 25 years."""

import cgi
import html

form = cgi.FieldStorage()
name = form.getfirst("name", "world")
print("Content-Type: text/html; charset=utf-8")
print()
print(f"<p>Hello, {html.escape(name)}!</p>")
