#!/usr/bin/env python3
import cgi
import json
import os

PATH = "todo.json"
items = json.load(open(PATH)) if os.path.exists(PATH) else []
form = cgi.FieldStorage()
if "add" in form:
    items.append(form["add"].value)
elif "delete" in form and form["delete"].value.isdigit():
    del items[int(form["delete"].value)]
json.dump(items, open(PATH, "w"))
print("Content-Type: text/html\n")
for i, item in enumerate(items):
    print("<li>%s <a href='?delete=%d'>x</a>" % (cgi.escape(item), i))
