#!/usr/bin/env python3
import cgi
import os
from http import cookies

form = cgi.FieldStorage()
cookie = cookies.SimpleCookie(os.environ.get("HTTP_COOKIE", ""))
lang = form.getfirst("lang")
if lang is None:
    lang = cookie["lang"].value if "lang" in cookie else "en"
out = cookies.SimpleCookie()
out["lang"] = lang
out["lang"]["path"] = "/"
print("Content-Type: text/html")
print(out)
print()
print("<p>Language: " + lang)
