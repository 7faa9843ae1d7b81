#!/usr/bin/env python3
"""A guestbook in one file, the newest entries first."""

import time

from cgikit import Limits, Response, append_line, escape, fields, read_lines, run

FILE = "data/guestbook.txt"  # a line for each entry: time, name, home page, text
MOST = 10  # entries on the page

PAGE = """<!DOCTYPE html>
<html lang="en"><meta name="viewport" content="width=device-width"><title>Guestbook</title>
<style>label, textarea {{ display: block; margin-top: .5rem }}</style>
<main><h1>Guestbook</h1>
{messages}
{form}
{entries}
</main>"""
ENTRY = "<hr><p><b>{who}</b> {when}</p><p>{text}</p>\n"


def guestbook(request):
    messages = ["Thank you for signing."] if "signed" in request.query else []
    if request.method == "POST":
        messages = check(request.form)
        if not messages:
            sign(request.form)
            return Response.redirect(request.url(base=False, query={"signed": 1}))
    form = fields.form(
        request,
        fields.text(request, "name", label="Your name", maxlength=60),
        fields.text(request, "home", label="Home page", type="url", maxlength=200),
        fields.textarea(request, "text", label="Your words", rows=4),
        fields.button(request, label="Sign"),
    )
    return PAGE.format(
        messages="".join(f"<p>{escape(message)}</p>" for message in messages),
        form=form,
        entries="".join(entry(line) for line in reversed(read_lines(FILE, last=MOST))),
    )


def check(form):
    found = []
    if not form.get("name", "").strip():
        found.append("Please enter your name.")
    if not form.get("text", "").strip():
        found.append("Please enter some words.")
    if form.get("home") and not form["home"].startswith(("http://", "https://")):
        found.append("A home page begins with http:// or https://.")
    return found


def sign(form):
    values = [" ".join(form.get(name, "").split()) for name in ("name", "home", "text")]
    append_line(FILE, "\t".join([str(int(time.time())), *values]))


def entry(line):
    when, name, home, text = line.split("\t", 3)
    who = escape(name)
    if home:
        who = f'<a href="{escape(home)}" rel="nofollow">{who}</a>'
    shown = time.strftime("%Y-%m-%d %H:%M", time.gmtime(int(when)))
    return ENTRY.format(who=who, when=shown, text=escape(text))


if __name__ == "__main__":
    run(guestbook, limits=Limits(body=20_000))
