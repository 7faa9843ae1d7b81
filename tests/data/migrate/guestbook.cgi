#!/usr/bin/env python3
# A guestbook of 2008
import cgi
import os

BOOK = "guestbook.txt"
print("Content-Type: text/html\n")

form = cgi.FieldStorage()
if form.getvalue("message"):
    name = form.getvalue("name", "anonymous")
    f = open(BOOK, "a")
    f.write("%s\t%s\n" % (name, cgi.escape(form.getvalue("message"))))
    f.close()

print("<h1>Guestbook</h1>")
if os.path.exists(BOOK):
    for line in open(BOOK):
        name, message = line.rstrip("\n").split("\t")
        print("<p><b>%s</b>: %s</p>" % (cgi.escape(name), message))
print('<form method="POST"><input name="name"><textarea name="message"></textarea></form>')
