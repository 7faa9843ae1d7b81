#!/usr/bin/env python3
# -*- coding: utf-8 -*-
#
# guestbook.cgi - a guest book with photos, as people wrote them in 2008
#
# Put it into cgi-bin, make it executable, and make a directory "data" beside
# it that the web server can write to.

import cgi
import cgitb
import os
import sys
import time
from html import escape
from http.cookies import SimpleCookie

cgitb.enable()

DIRECTORY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "data", "guestbook")
ENTRIES = os.path.join(DIRECTORY, "entries.txt")
PHOTOS = os.path.join(DIRECTORY, "photos")
MAX_PHOTO = 2000000
COLOURS = ["red", "green", "blue", "yellow"]
HEAD = """<html>
<head>
<title>%(title)s</title>
</head>
<body>
<h1>%(title)s</h1>
"""

FOOT = """<hr>
<p><i>You have been here %(visits)s time(s). It is %(now)s.</i></p>
</body>
</html>
"""

FORM = """<form action="%(action)s" method="post" enctype="multipart/form-data">
<p>Your name: <input type="text" name="name" value="%(name)s"></p>
<p>Your e-mail: <input type="text" name="email"></p>
<p>Your message:<br>
<textarea name="message" rows="5" cols="40"></textarea></p>
<p>Colours you like: %(boxes)s</p>
<p>A photo: <input type="file" name="photo"></p>
<p><input type="hidden" name="action" value="sign">
<input type="submit" value="Sign"></p>
</form>
"""


def script_name():
    return os.environ.get("SCRIPT_NAME", "guestbook.cgi")


def read_cookie():
    cookie = SimpleCookie()
    if "HTTP_COOKIE" in os.environ:
        cookie.load(os.environ["HTTP_COOKIE"])
    return cookie


def send_header(title, cookie, status=None):
    if status:
        print("Status: %s" % status)
    print("Content-Type: text/html; charset=utf-8")
    print(cookie.output())
    print("Cache-Control: no-cache")
    print()
    print(HEAD % {"title": escape(title)})


def send_footer(cookie):
    now = time.strftime("%Y", time.localtime())
    print(FOOT % {"visits": cookie["visits"].value, "now": now})


def make_directories():
    for directory in (DIRECTORY, PHOTOS):
        if not os.path.isdir(directory):
            os.mkdir(directory)


def read_entries():
    entries = []
    if os.path.exists(ENTRIES):
        f = open(ENTRIES, encoding="utf-8")
        for line in f:
            fields = line.rstrip("\n").split("\t")
            if len(fields) == 5:
                entries.append(fields)
        f.close()
    entries.reverse()
    return entries


def clean(text):
    return text.replace("\t", " ").replace("\r", "").replace("\n", "<br>")


def add_entry(name, email, message, colours, photo):
    f = open(ENTRIES, "a", encoding="utf-8")
    fields = [clean(escape(x)) for x in (name, email, message, ",".join(colours), photo)]
    f.write("\t".join(fields) + "\n")
    f.close()


def save_photo(item):
    data = b""
    while True:
        chunk = item.file.read(8192)
        if not chunk:
            break
        data = data + chunk
        if len(data) > MAX_PHOTO:
            raise ValueError("this photo is too large")
    name = os.path.basename(item.filename.replace("\\", "/"))
    f = open(os.path.join(PHOTOS, name), "wb")
    f.write(data)
    f.close()
    return "%s (%s, %d bytes)" % (name, item.type, len(data))


def show_form(name):
    boxes = ""
    for colour in COLOURS:
        boxes += '<input type="checkbox" name="colour" value="%s"> %s ' % (colour, colour)
    print(FORM % {"action": script_name(), "name": escape(name), "boxes": boxes})


def show_entries(form):
    wanted = form.getfirst("from", "")
    for name, email, message, colours, photo in read_entries():
        if wanted and wanted not in name:
            continue
        print("<h3>%s</h3>" % name)
        if email:
            print("<p>%s</p>" % email)
        print("<p>%s</p>" % message)
        if colours:
            print("<p>Likes %s</p>" % colours)
        if photo:
            print("<p>Photo: %s</p>" % photo)


def sign(form, cookie):
    errors = []
    if "name" not in form or not form["name"].value.strip():
        errors.append("Please tell us your name.")
    if "message" not in form:
        errors.append("Please write something.")
    if errors:
        send_header("Something is missing", cookie, "400 Bad Request")
        for error in errors:
            print("<p><b>%s</b></p>" % error)
        show_form(form.getvalue("name", ""))
        send_footer(cookie)
        return
    make_directories()
    photo = ""
    if "photo" in form and form["photo"].filename:
        photo = save_photo(form["photo"])
    colours = form.getlist("colour")
    email = form.getfirst("email", "")
    add_entry(form["name"].value, email, form.getvalue("message"), colours, photo)
    cookie["name"] = form.getvalue("name")
    cookie["name"]["max-age"] = 86400
    send_header("Thank you!", cookie)
    print('<p><a href="%s">Back to the guest book</a></p>' % script_name())
    send_footer(cookie)


def main():
    cookie = read_cookie()
    visits = 1
    if "visits" in cookie:
        visits = int(cookie["visits"].value) + 1
    cookie["visits"] = str(visits)
    form = cgi.FieldStorage()
    if form.getvalue("action") == "sign":
        sign(form, cookie)
        return
    name = cookie["name"].value if "name" in cookie else ""
    send_header("Guest book", cookie)
    if form.getvalue("action") == "fail":
        raise RuntimeError("the guest book is on fire")
    show_entries(form)
    show_form(name)
    send_footer(cookie)


if __name__ == "__main__":
    main()
    sys.stdout.flush()
