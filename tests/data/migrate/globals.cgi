#!/usr/bin/env python3
# The form is a global that functions read.
import cgi
form = cgi.FieldStorage()

def title():
    return form.getvalue("title", "No title")

def body():
    if form.getvalue("body") is None:
        return "empty"
    return form.getvalue("body")

def main():
    print("Content-Type: text/html\n")
    print("<title>" + title() + "</title>")
    print("<body>" + body() + "</body>")

main()
