#!/usr/bin/env python3
import cgi
form = cgi.FieldStorage()
colours = form.getlist("colour")
size = form.getfirst("size", "0")
print("Content-Type: text/plain")
print()
for colour in colours:
    print("*", colour)
print(len(colours), "colours of size", size)
