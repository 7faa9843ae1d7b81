#!/usr/bin/env python3
"""Searches the pages of a site for words."""

import html
import re
from pathlib import Path

from cgikit import Request, escape, fields, run

DIRECTORY = "docs"  # where the pages are, as a directory and as a URL
CHOICES = {"all": "All of them", "any": "Any of them"}

PAGE = """<!DOCTYPE html>
<html lang="en"><meta name="viewport" content="width=device-width"><title>Search</title>
<style>label, textarea {{ display: block; margin-top: .5rem }}
  [type=checkbox] + label {{ display: inline }}</style>
<main><h1>Search</h1>
{form}
{result}
</main>"""


def search(request: Request):
    query = request.query
    match = query.getchoice("match", CHOICES, default="all")
    words = query.get("words", "").split()
    result = ""
    if words:
        found = list(pages(words, all if match == "all" else any, "case" in query))
        result = f"<h2>{len(found)} found</h2><ol>{''.join(found)}</ol>"
    form = fields.form(
        request,
        fields.text(request, "words", label="Words", type="search"),
        fields.radios(request, "match", CHOICES, default="all", aria_label="Match"),
        fields.checkbox(request, "case", value="1", label="Upper and lower case differ"),
        fields.button(request, "go", value="Search", label="Search"),
        method="get",
    )
    return PAGE.format(form=form, result=result)


def pages(words, enough, case):
    """Yield a link to each page that matches, with an excerpt, as HTML."""
    flags = 0 if case else re.IGNORECASE
    patterns = [".{0,30}" + re.escape(word) + ".{0,30}" for word in words]
    for path in sorted(Path(DIRECTORY).rglob("*.htm*")):
        source = path.read_text(errors="replace")
        title = re.search("<title>(.*?)</title>", source, re.S | re.I)
        body = re.sub("<head>.*?</head>|<[^>]*>", " ", source, flags=re.S | re.I)
        text = " ".join(html.unescape(body).split())
        hits = [re.search(pattern, text, flags) for pattern in patterns]
        if enough(hits):
            excerpt = next(filter(None, hits))[0]
            name = html.unescape(title[1]) if title else path
            yield f'<li><a href="{escape(path)}">{escape(name)}</a><br>... {escape(excerpt)} ...</li>'


if __name__ == "__main__":
    run(search)
