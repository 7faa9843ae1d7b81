#!/usr/bin/env python3
import cgi
from urllib.parse import urlencode
form = cgi.FieldStorage()
page = int(form.getfirst("page") or 1)
q = form.getfirst("q", default="")
print("Content-Type: text/html\n")
print("<a href='?%s'>next</a>" % urlencode({"page": page + 1, "q": q}))
has_query = "q" in form
print("filtered" if has_query else "all", "first" if page == 1 else "later")
