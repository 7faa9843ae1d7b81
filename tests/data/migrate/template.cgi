#!/usr/bin/env python3
import cgi
form = cgi.FieldStorage()
name = form.getvalue("name")
town = form.getvalue("town")
print("Content-Type: text/plain\n")
print("%(name)s lives in %(town)s" % globals())
