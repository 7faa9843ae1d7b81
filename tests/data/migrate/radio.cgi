#!/usr/bin/python3
import cgi

form = cgi.FieldStorage()

if form.getvalue('subject'):
   subject = form.getvalue('subject')
else:
   subject = "Not set"

print("Content-type:text/html\r\n\r\n")
print("<h2> Selected Subject is %s</h2>" % subject)
