#!/usr/bin/env python3
import cgi

form = cgi.FieldStorage(keep_blank_values=True)
print("Content-Type: text/plain\n")
if "name" in form:
    print("name=%r" % form["name"].value)
else:
    print("no name")
print(repr(form.getvalue("age")), repr(form.getfirst("age", "none")), form.getlist("age"))
for key in sorted(form.keys()):
    print(key)
