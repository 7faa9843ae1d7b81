#!/usr/bin/env python3
import cgi

form = cgi.FieldStorage()
print("Content-Type: text/plain\n")
data = form.getvalue("userfile")
if data:
    with open("saved.dat", "wb") as f:
        f.write(data)
    print("saved", len(data))
else:
    print("no file")
