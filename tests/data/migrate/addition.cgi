#!/usr/bin/env python3
"""Adds two numbers, as an exercise does."""
import cgi

print("Content-Type: text/html")    # HTML is following
print()                             # blank line, end of headers

form = cgi.FieldStorage()
num1 = int(form.getvalue("num1", 0))
num2 = int(form.getvalue("num2", "0"))
print("<p>%d + %d = %d</p>" % (num1, num2, num1 + num2))
