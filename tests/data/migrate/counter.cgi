#!/usr/bin/env python3
import cgi
import os
form = cgi.FieldStorage()
page = form.getfirst("page", "index")
page = "".join(c for c in page if c.isalnum())
path = page + ".count"
try:
    count = int(open(path).read())
except (IOError, ValueError):
    count = 0
count = count + 1
with open(path, "w") as f:
    f.write(str(count))
print("Content-type: text/html")
print()
print("You are visitor number %d of %s" % (count, page))
