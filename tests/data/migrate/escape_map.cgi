#!/usr/bin/env python3
# escape as a value: its default is another one in html
import cgi
form = cgi.FieldStorage()
values = [form.getfirst("a", ""), form.getfirst("b", "")]
print("Content-Type: text/html\n")
print(", ".join(map(cgi.escape, values)))
print(cgi.escape("&"))
