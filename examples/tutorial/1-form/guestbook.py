#!/usr/bin/env python3
"""A guestbook, step 1: a form, and a page with what was sent."""

import time
from pathlib import Path

from cgikit import Request, run

FILE = Path("data/guestbook.txt")  # a line for each entry: time, name, home page, text

PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Guestbook</title>
<main>
<h1>Guestbook</h1>
<form method="post">
<p><label>Your name <input name="name"></label></p>
<p><label>Home page <input name="home"></label></p>
<p><label>Your words <textarea name="text"></textarea></label></p>
<p><button>Sign the guestbook</button></p>
</form>
{entries}
</main>
"""
SHOWN = """<article>
<h2>{name}</h2> <time>{when}</time>
<p>{text}</p>
</article>"""


def guestbook(request: Request):
    if request.method == "POST":
        keep(request.form)
    lines = read()
    return PAGE.format(entries="\n".join(entry(line) for line in lines[::-1]))


def read():
    return FILE.read_text().splitlines() if FILE.exists() else []


def keep(values):
    """Write an entry behind the others."""
    name, home, text = (" ".join(values[field].split()) for field in ("name", "home", "text"))
    lines = read()
    lines.append(f"{int(time.time())}\t{name}\t{home}\t{text}")
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text("".join(f"{line}\n" for line in lines))


def entry(line):
    when, name, home, text = line.split("\t")
    who = name
    if home:
        who = f'<a href="{home}">{name}</a>'
    return SHOWN.format(
        name=who,
        when=time.strftime("%d %B %Y, %H:%M", time.gmtime(int(when))),
        text=text,
    )


if __name__ == "__main__":
    run(guestbook)
