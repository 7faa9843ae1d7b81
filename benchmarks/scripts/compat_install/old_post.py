"""cgi.FieldStorage after install(): a url-encoded body."""

import cgikit.compat

cgikit.compat.install(replace=True)

import cgi  # noqa: E402

form = cgi.FieldStorage()
last = form.getfirst("field20", "")
print("Content-Type: text/html; charset=utf-8")
print()
print(f"<p>{len(form)} fields, the last of {len(last)} characters</p>")
