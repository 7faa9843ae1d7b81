#!/usr/bin/env python3
import cgi

def number(form_value):
    try:
        return float(form_value)
    except (TypeError, ValueError):
        return None

form = cgi.FieldStorage()
a, b = number(form.getvalue("a")), number(form.getvalue("b"))
op = form.getvalue("op") or "+"
print("Content-Type: text/html\n")
if a is None or b is None:
    print("<p>Two numbers, please.</p>")
elif form.getvalue("op") == "*":
    print("<p>%g</p>" % (a * b))
elif form.getfirst("op") in ("/", ":"):
    print("<p>%s</p>" % ("infinite" if not b else a / b))
else:
    print("<p>%g</p>" % (a + b))
