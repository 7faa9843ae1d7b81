#!/usr/bin/env python3
import cgi, cgitb
cgitb.enable()
form = cgi.FieldStorage()
print("Content-Type: text/plain\n")
print(form.getvalue("a"))
