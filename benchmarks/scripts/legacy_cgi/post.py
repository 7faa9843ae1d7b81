"""cgi.FieldStorage with a url-encoded body."""

import cgi
import html

form = cgi.FieldStorage()
last = form.getfirst("field20", "")
print("Content-Type: text/html; charset=utf-8")
print()
print(f"<p>{len(form)} fields, the last: {html.escape(last)}</p>")
