#!/usr/bin/env python3
from cgi import FieldStorage

form = FieldStorage()
if form.getvalue("dropdown"):
    subject = form.getvalue("dropdown")
else:
    subject = "Not entered"
print("Content-type: text/html\n")
print("<h2>Selected Subject is %s</h2>" % subject)
