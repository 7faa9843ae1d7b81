#!/usr/bin/env python3

def application():
    import cgi
    form = cgi.FieldStorage()
    a = form.getvalue("a", default="none")
    yield "Content-Type: text/plain\n"
    yield a

for line in application():
    print(line)
