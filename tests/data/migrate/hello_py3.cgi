#!/usr/bin/python3
# -*- coding: utf-8 -*-

# Import modules for CGI handling
import cgi, cgitb
import io, sys

sys.stdout = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8")

# Create instance of FieldStorage
form = cgi.FieldStorage()

# Get data from fields
first_name = form.getvalue('first')
last_name  = form.getvalue('last')

print ("Content-type:text/html\r\n\r\n")
print ("<html>")
print ("<head><title>Hello - Second CGI Program</title></head>")
print ("<body>")
print ("<h2>Hello %s %s</h2>" % (first_name, last_name))
print ("</body>")
print ("</html>")
