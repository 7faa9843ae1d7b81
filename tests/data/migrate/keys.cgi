#!/usr/bin/env python3
import cgi
form = cgi.FieldStorage()
print("Content-Type: text/html\n")
print("<table>")
for key in sorted(form.keys()):
    print("<tr><td>%s</td><td>%s</td></tr>" % (key, form[key].value))
print("</table>")
