#!/usr/bin/env python3
import cgi
import os

def fbuffer(f, chunk_size=10000):
    while True:
        chunk = f.read(chunk_size)
        if not chunk: break
        yield chunk

form = cgi.FieldStorage()
fileitem = form["datei"]
title = form.getfirst("title", "untitled")
print("Content-Type: text/html\n")
if not fileitem.filename:
    print("<p>nothing for", title, "</p>")
else:
    name = os.path.basename(fileitem.filename)
    with open("up-" + name, "wb", 10000) as f:
        for chunk in fbuffer(fileitem.file):
            f.write(chunk)
    print("<p>%s: %d bytes</p>" % (title, os.path.getsize("up-" + name)))
