#!/usr/bin/env python3
import cgi
import hashlib

USERS = {"ada": hashlib.sha256(b"secret").hexdigest()}

def header(status="200 OK"):
    print("Status: %s" % status)
    print("Content-Type: text/html; charset=utf-8")
    print()

def main():
    form = cgi.FieldStorage()
    if not ("user" in form and "password" in form):
        header("400 Bad Request")
        print("<p>Who are you?</p>")
        return
    user = form["user"].value
    digest = hashlib.sha256(form["password"].value.encode()).hexdigest()
    if USERS.get(user) == digest:
        header()
        print("<p>Welcome, %s</p>" % user)
    else:
        header("403 Forbidden")
        print("<p>No.</p>")

if __name__ == "__main__":
    main()
