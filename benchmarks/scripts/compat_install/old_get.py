"""cgi.FieldStorage after install(): a query."""

import cgikit.compat

cgikit.compat.install(replace=True)

import cgi  # noqa: E402

form = cgi.FieldStorage()
name = form.getfirst("name", "world")
print("Content-Type: text/html; charset=utf-8")
print()
print(f"<p>Hello, {name.partition(' ')[0]}!</p>")
