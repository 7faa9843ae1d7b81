#!/usr/bin/env python3
# why: Cookies of the standard library.
# first: GET /?oak7731
# second: GET /?elm
import os
from http.cookies import SimpleCookie

cookie = SimpleCookie()
cookie["tree"] = os.environ["QUERY_STRING"]
cookie["tree"]["path"] = "/"
print(cookie)
print("Content-Type: text/plain\n")
print(SimpleCookie("a=1; b=2")["b"].value)
