"""cgikit.compat.cgi: a url-encoded body."""

from cgikit.compat import cgi

form = cgi.FieldStorage()
last = form.getfirst("field20", "")
print("Content-Type: text/html; charset=utf-8")
print()
print(f"<p>{len(form)} fields, the last of {len(last)} characters</p>")
