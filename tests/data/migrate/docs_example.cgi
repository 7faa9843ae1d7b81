#!/usr/bin/env python3
# After the example that stood in the documentation of the module.
import cgi
import sys

form = cgi.FieldStorage()
print("Content-Type: text/html\n")
if "name" not in form or "addr" not in form:
    print("<H1>Error</H1>")
    print("Please fill in the name and addr fields.")
    sys.exit()
print("<p>name:", form["name"].value)
print("<p>addr:", form["addr"].value)
