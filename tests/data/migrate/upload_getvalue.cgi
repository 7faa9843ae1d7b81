#!/usr/bin/env python3
# reads a file by getvalue: bytes
import cgi
FORM = """<form method="post" enctype="multipart/form-data">
<input type="file" name="pic"><input name="note"><input type=submit></form>"""
form = cgi.FieldStorage()
print("Content-Type: text/plain\n")
picture = form.getvalue("pic")
print(picture, form.getvalue("note", "-"))
