#!/usr/bin/env python3
import cgi
form = cgi.FieldStorage()
try:
    name = form["name"].value
except KeyError:
    name = "nobody"
print("Content-Type: text/plain\n")
print(name)
