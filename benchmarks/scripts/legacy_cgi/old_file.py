"""cgi.FieldStorage: a multipart body with a small file."""

import cgi

form = cgi.FieldStorage()
part = form["file"]
size = len(part.value)
print("Content-Type: text/html; charset=utf-8")
print()
print(f"<p>{part.filename}, {size} bytes</p>")
