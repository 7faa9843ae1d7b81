#!/usr/bin/env python3
# Hello, world: the first script of every tutorial.
import cgi

form = cgi.FieldStorage()
name = form.getvalue("name", "World")
print("Content-type: text/html")
print()
print("<html><body><h1>Hello, %s!</h1></body></html>" % name)
