#!/usr/bin/env python3
import cgi

form = cgi.FieldStorage()
# the length of a file's value
print("Content-Type: text/plain\n")
if "userfile" in form:
    data = form["userfile"].value
    print(form["userfile"].filename, len(data), data.count(b"\n"))
