#!/usr/bin/env python3
import cgi

def fields(form):
    """Hands the form on: it stays what it is."""
    return [(key, form.getvalue(key)) for key in sorted(form)]

print("Content-Type: text/plain\n")
for key, value in fields(cgi.FieldStorage()):
    print(key, value)
