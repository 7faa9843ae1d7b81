#!/usr/bin/env python3
import cgi
form = cgi.FieldStorage()
print("Content-Type: text/plain\n")
fields = form["f"]
if not isinstance(fields, list):
    fields = [fields]
for field in fields:
    print(field.filename, field.file.read())
