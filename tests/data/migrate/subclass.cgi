#!/usr/bin/env python3
import cgi
import tempfile

class Form(cgi.FieldStorage):
    def make_file(self, *args):
        return tempfile.TemporaryFile("w+b" if self._binary_file else "w+")

form = Form()
print("Content-Type: text/plain\n")
print(form.getfirst("x"))
if "f" in form:
    print(form["f"].file.read())
