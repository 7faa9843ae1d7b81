#!/usr/bin/env python3
import cgi
form = cgi.FieldStorage()
print("Content-Type: text/plain\n")
field = form["x"]
if type(field) is list:
    print("several:", [one.value for one in field])
else:
    print("one:", field.value)
