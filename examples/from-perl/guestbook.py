#!/usr/bin/env python3
"""A guestbook in one file, the newest entries first."""

import time

from cgikit import Limits, Request, Response, append_line, escape, fields, read_lines, run

FILE = "data/guestbook.txt"  # a line for each entry: time, name, home page, text
MOST = 10  # entries on the page
ENTRY = [
    fields.declare("name", label="Your name", required=True, max=60),
    fields.declare("home", "url", label="Home page", max=200),
    fields.declare("text", "text", label="Your words", required=True),
]

PAGE = """<!DOCTYPE html>
<html lang="en"><meta name="viewport" content="width=device-width"><title>Guestbook</title>
<style>label, textarea {{ display: block; margin-top: .5rem }}</style>
<main><h1>Guestbook</h1>
<p>{thanks}</p>
{form}
{entries}
</main>"""
SHOWN = "<hr><p><b>{who}</b> {when}</p><p>{text}</p>\n"


def guestbook(request: Request):
    values, errors = fields.check(request, ENTRY)
    if request.method == "POST" and not errors:
        line = [str(int(time.time())), *(" ".join(value.split()) for value in values.values())]
        append_line(FILE, "\t".join(line))
        return Response.redirect(request.url(base=False, query={"signed": 1}))
    form = fields.form(
        errors,
        fields.text(errors, "name"),
        fields.text(errors, "home"),
        fields.textarea(errors, "text", rows=4),
        fields.button(errors, label="Sign"),
    )
    return PAGE.format(
        thanks="Thank you for signing." if "signed" in request.query else "",
        form=form,
        entries="".join(entry(line) for line in reversed(read_lines(FILE, last=MOST))),
    )


def entry(line):
    when, name, home, text = line.split("\t", 3)
    who = escape(name)
    if home:
        who = f'<a href="{escape(home)}" rel="nofollow">{who}</a>'
    shown = time.strftime("%Y-%m-%d %H:%M", time.gmtime(int(when)))
    return SHOWN.format(who=who, when=shown, text=escape(text))


if __name__ == "__main__":
    run(guestbook, limits=Limits(body=20_000))
