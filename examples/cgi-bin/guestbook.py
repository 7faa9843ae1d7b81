#!/usr/bin/env python3
"""The guestbook: entries are lines of a file, shown ten a page."""

import json
import time

from cgikit import HTTPError, Request, Response, append_line, escape, read_lines, run

FILE = "data/guestbook.jsonl"
PER_PAGE = 10

PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Guestbook</title>
<style>
  :root {{ color-scheme: light dark; background: Canvas }}
  body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem }}
  form {{ display: grid; gap: .5rem; padding: 1rem; border: 1px solid #8886; border-radius: .5rem }}
  label {{ display: grid }}
  input, textarea {{ font: inherit; padding: .3rem .5rem }}
  article {{ margin: 1.5rem 0; padding-left: 1rem; border-left: 4px solid #2563eb }}
  h2 {{ display: inline; font-size: 1rem; overflow-wrap: anywhere }}
  article p {{ margin: .2rem 0; white-space: pre-line; overflow-wrap: anywhere }}
  time {{ opacity: .75; font-size: .85rem }}
  nav {{ display: flex; gap: 1rem }}
</style>
<main>
<h1>Guestbook</h1>
<form action="{action}" method="post">
  <label>Your name <input name="name" maxlength="60" required></label>
  <label>Your words <textarea name="text" rows="3" maxlength="1000" required></textarea></label>
  <button>Sign</button>
</form>
{entries}
<nav>{links}</nav>
</main>
"""

ENTRY = "<article><h2>{name}</h2> <time>{when}</time><p>{text}</p></article>"


def guestbook(request: Request):
    if request.method == "POST":
        return sign(request)
    entries = read_entries()
    pages = max(1, -(-len(entries) // PER_PAGE))
    page = request.query.getint("page", default=1, min=1, max=pages)
    newest_first = entries[::-1][(page - 1) * PER_PAGE : page * PER_PAGE]
    return PAGE.format(
        action=escape(request.script_name),
        entries="\n".join(
            ENTRY.format(
                name=escape(entry["name"]),
                when=time.strftime("%Y-%m-%d %H:%M", time.gmtime(entry["time"])),
                text=escape(entry["text"]),
            )
            for entry in newest_first
        ),
        links=links(request, page, pages),
    )


def links(request: Request, page, pages):
    here = escape(request.script_name)
    newer = f'<a href="{here}?page={page - 1}">newer</a>' if page > 1 else ""
    older = f'<a href="{here}?page={page + 1}">older</a>' if page < pages else ""
    return f"{newer} <span>page {page} of {pages}</span> {older}"


def sign(request: Request):
    name = request.form.get("name", "").strip()
    text = request.form.get("text", "").strip()
    if not name or not text or len(name) > 60 or len(text) > 1000:
        raise HTTPError(400, "Enter a name (up to 60 characters) and a text (up to 1,000).")
    # JSON keeps an entry on one line, whatever the visitor typed.
    append_line(FILE, json.dumps({"time": int(time.time()), "name": name, "text": text}))
    return Response.redirect(request.url(base=False, query=False))


def read_entries():
    return [json.loads(line) for line in read_lines(FILE)]


if __name__ == "__main__":
    run(guestbook)
