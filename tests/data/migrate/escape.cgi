#!/usr/bin/env python3
# cgi.escape, which went with Python 3.8
import cgi

form = cgi.FieldStorage()
comment = form.getvalue("comment", "")
print("Content-type: text/html\n")
print("<p>%s</p>" % cgi.escape(comment))
print('<input name="comment" value="%s">' % cgi.escape(comment.replace("'", ""), True))
