#!/usr/bin/env python3
import cgi
form = cgi.FieldStorage()
html = """<html>
<head><title>Search</title></head>
<body>You looked for <i>%s</i></body>
</html>"""
escape = "\\"  # a name of its own
print("Content-type: text/html\n")
print(html % cgi.escape(form.getfirst("q", "")))
print(escape)
