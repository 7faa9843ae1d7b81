#!/usr/bin/env python3
import cgi
import html

form = cgi.FieldStorage()
user = form.getfirst("user", "").upper()
query = form.getfirst("q")
items = ", ".join(form.getlist("item"))
print("Content-Type: text/html; charset=utf-8")
print()
print("<p>user: " + html.escape(user) + "</p>")
print("<p>query: " + html.escape(str(query)) + "</p>")
print("<p>items: " + html.escape(items) + "</p>")
