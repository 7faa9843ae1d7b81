"""cgi.FieldStorage: a query. Nothing else is imported, so that it is the module that is measured."""

import cgi

form = cgi.FieldStorage()
name = form.getfirst("name", "world")
print("Content-Type: text/html; charset=utf-8")
print()
print(f"<p>Hello, {name.partition(' ')[0]}!</p>")
