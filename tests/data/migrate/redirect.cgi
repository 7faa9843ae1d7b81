#!/usr/bin/env python3
import cgi
form = cgi.FieldStorage()
to = form.getvalue("to")
if to is not None and to.startswith("/"):
    print("Status: 302 Found")
    print("Location: " + to)
    print()
else:
    print("Status: 400 Bad Request")
    print("Content-Type: text/plain\n")
    print("no target")
