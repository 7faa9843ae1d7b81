"""cgikit.compat.cgi: a multipart body with a file of 10 MB of newlines."""

from cgikit.compat import cgi

form = cgi.FieldStorage()
part = form["file"]
size = len(part.value)
print("Content-Type: text/html; charset=utf-8")
print()
print(f"<p>{part.filename}, {size} bytes</p>")
