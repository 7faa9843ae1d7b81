#!/usr/bin/env python3
from cgi import *
form = FieldStorage()
print("Content-Type: text/plain\n")
print(form.getvalue("a"))
