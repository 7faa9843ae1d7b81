#!/usr/bin/env python3
import cgi

form = cgi.FieldStorage()
print("Content-Type: text/html\n")
print("""<form method="post" enctype="multipart/form-data">
<input name="title"><textarea name="about"></textarea><input type="file" name="f">
</form>""")
print(form.getvalue("title", "-"), form.getfirst("about", ""))
