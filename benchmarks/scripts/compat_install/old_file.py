"""cgi.FieldStorage after install(): a multipart body with a small file."""

import cgikit.compat

cgikit.compat.install(replace=True)

import cgi  # noqa: E402

form = cgi.FieldStorage()
part = form["file"]
size = len(part.value)
print("Content-Type: text/html; charset=utf-8")
print()
print(f"<p>{part.filename}, {size} bytes</p>")
