#!/usr/bin/env python3
import cgitb
cgitb.enable(display=0, logdir=None)
import cgi
form = cgi.FieldStorage()
print("Content-Type: text/plain\n")
print(100 // int(form.getfirst("n", "1")))
