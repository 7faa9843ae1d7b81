#!/usr/bin/env python3
import cgi

form = cgi.FieldStorage()
tags = form.getvalue("tag")
if not tags:
    tags = []
elif not isinstance(tags, list):
    tags = [tags]
print("Content-Type: text/plain\n")
print(len(tags), " ".join(tags))
