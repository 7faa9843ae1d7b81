#!/usr/bin/env python3
import cgi

form = cgi.FieldStorage()
print("Content-Type: text/plain\n")
if "userfile" in form:
    with open("saved.dat", mode="w+b") as f:
        f.write(form["userfile"].value)
    print("saved")
else:
    print("no file")
print(len(form), sorted(form.keys()))
