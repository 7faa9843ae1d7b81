"""cgi.FieldStorage and a copy of the temporary file: it has no name that could be moved."""

import cgi
import shutil

form = cgi.FieldStorage()
with open("upload.bin", "wb") as target:
    shutil.copyfileobj(form["file"].file, target, 1 << 20)
    size = target.tell()
print("Content-Type: text/html; charset=utf-8")
print()
print(f"<p>{size} bytes saved</p>")
