"""cgi.FieldStorage with a multipart body."""

import cgi
import html
import os

form = cgi.FieldStorage()
note = form.getfirst("note", "")
part = form["file"]
size = part.file.seek(0, os.SEEK_END)
print("Content-Type: text/html; charset=utf-8")
print()
print(f"<p>{html.escape(note)}: {html.escape(part.filename)}, {size} bytes</p>")
