#!/usr/bin/env python3
"""A guestbook, step 4: pages of ten entries, and a form that says what is wrong."""

import time
from pathlib import Path

from cgikit import Request, Response, append_line, escape, fields, read_lines, run

FILE = Path("data/guestbook.txt")  # a line for each entry: time, name, home page, text
PER_PAGE = 10

ENTRY = [
    fields.declare("name", label="Your name", required=True, max=60),
    fields.declare("home", "url", label="Home page", max=200),
    fields.declare("text", "text", label="Your words", required=True, max=1000),
]

PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>{style}</style>
<main>
<h1>{title}</h1>
{content}
</main>
"""
SHOWN = """<article class="card">
<header class="row split"><h2>{name}</h2> <time datetime="{date}">{when}</time></header>
<p class="text">{text}</p>
</article>"""


def guestbook(request: Request):
    values, errors = fields.check(request, ENTRY)
    if request.method == "POST" and not errors:
        keep(values)
        return Response.redirect(request.url(base=False, query={"thanks": 1}))
    page = show(request, sign_form(errors))
    return Response.html(page, 422) if errors.sent else page


def keep(values):
    """Write an entry behind the others."""
    # A line of its own for each entry: U+2028 stands for the line ends in a text.
    text = "\u2028".join(" ".join(line.split()) for line in values["text"].splitlines())
    name, home = (" ".join(values[field].split()) for field in ("name", "home"))
    append_line(FILE, f"{int(time.time())}\t{name}\t{home}\t{text}")


# --- the pages -----------------------------------------------------------------------------------


def entries():
    """Return the lines of what is shown. Others, which somebody wrote by hand, are left out."""
    lines = read_lines(FILE)
    found = [each for each in lines if each.count("\t") >= 3 and each.index("\t") < 12]
    return [each for each in found if each.split("\t")[0].isdecimal()]


def show(request: Request, form):
    lines = entries()
    pages = max(1, -(-len(lines) // PER_PAGE))
    page = request.query.getint("page", default=1, min=1, max=pages)
    shown = lines[::-1][(page - 1) * PER_PAGE : page * PER_PAGE]
    here = escape(request.script_name)
    newer = f'<a href="{here}?page={page - 1}" rel="prev">Newer</a>' if page > 1 else ""
    older = f'<a href="{here}?page={page + 1}" rel="next">Older</a>' if page < pages else ""
    content = [
        note(request),
        form,
        f"<h2>{len(lines)} {'entry' if len(lines) == 1 else 'entries'}</h2>",
        *(entry(line) for line in shown),
        f'<nav class="row split" aria-label="Pages">{newer} Page {page} of {pages} {older}</nav>',
    ]
    return PAGE.format(title="Guestbook", style=STYLE, content="\n".join(content))


def note(request: Request):
    message = "Thank you for signing." if "thanks" in request.query else ""
    return f'<p class="note" role="status">{escape(message)}</p>' if message else ""


def sign_form(errors):
    parts = [
        fields.text(errors, "name", autocomplete="name"),
        fields.text(errors, "home", hint="Not needed.", autocomplete="url"),
        fields.textarea(errors, "text", rows=4),
    ]
    rows = "\n".join(f"<div>{part}</div>" for part in parts)
    button = fields.button(errors, label="Sign the guestbook")
    form = fields.form(errors, rows, button, novalidate=True)
    return f'{summary(errors)}<section class="card" aria-label="Sign">{form}</section>'


def summary(errors):
    """The list of what is wrong with a form, with links to the fields."""
    items = "".join(
        f'<li><a href="#field-{name}">{escape(errors.declared[name].label)}</a>: {escape(said)}</li>'
        for name, said in errors.items()
    )
    if not items:
        return ""
    return f'<div class="errors" role="alert"><h2>Please correct this:</h2><ul>{items}</ul></div>'


def entry(line):
    when, name, home, text = line.split("\t")
    who = escape(name)
    if home.startswith(("https://", "http://")):  # never javascript:
        who = f'<a href="{escape(home)}" rel="nofollow ugc">{who}</a>'
    moment = time.gmtime(int(when))
    return SHOWN.format(
        name=who,
        date=time.strftime("%Y-%m-%dT%H:%MZ", moment),
        when=time.strftime("%d %B %Y, %H:%M", moment),
        text=escape(text.replace("\u2028", "\n")),
    )


# --- the style: examples/style.css, put here by `make gallery` ---
STYLE = """
:root {
  color-scheme: light dark;
  --page: light-dark(#f4f6f9, #12151b); --card: light-dark(#fff, #1b2029);
  --ink: light-dark(#1a202c, #e8ebf0); --soft: light-dark(#525d6e, #a8b2c1);
  --line: light-dark(#d9dfe8, #333b48); --edge: light-dark(#7b8698, #768194);
  --accent: light-dark(#1f4fd1, #8fb4ff); --on-accent: light-dark(#fff, #0c1526);
  --tint: light-dark(#e9effd, #202b42);
  --bad: light-dark(#b3141f, #ffb0a8); --bad-tint: light-dark(#fdecec, #3a1f21);
  background: var(--page); color: var(--ink);
  font: 1.0625rem/1.6 system-ui, sans-serif; overflow-wrap: anywhere;
}
* { box-sizing: border-box }
body { margin: 0 }
main { max-width: 44rem; margin: 0 auto; padding: 2rem 1rem 4rem }
.wide main { max-width: 68rem }
h1 { font-size: 1.9rem; line-height: 1.2; letter-spacing: -.02em; margin: 0 0 1.1rem }
h2 { font-size: 1.15rem; line-height: 1.3; margin: 2.2rem 0 .8rem }
p, ul, ol, dl { margin: 0 0 .9rem }
a { color: var(--accent); text-underline-offset: .18em }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px }
.lead, .soft, time { color: var(--soft) }
.lead { margin-top: -.6rem }
.soft, time, .field-hint { font-size: .9rem }
.card, .note, .errors {
  background: var(--card); border: 1px solid var(--line); border-radius: .75rem;
  padding: 1.1rem 1.25rem; margin: 0 0 1rem; box-shadow: 0 1px 2px #0000000d;
}
.card > :last-child, .note > :last-child, .errors > :last-child { margin-bottom: 0 }
.card h2, .card h3, .errors h2 { font-size: 1.05rem; margin: 0 0 .3rem }
.note { background: var(--tint); border-color: var(--accent) }
.errors { background: var(--bad-tint); border: 2px solid var(--bad) }
.errors a, .field-error { color: var(--bad); font-weight: 600 }
.text { white-space: pre-line }
.row { display: flex; flex-wrap: wrap; gap: .6rem 1rem; align-items: center }
.split { justify-content: space-between }
.row > h1, .row > h2, .row > h3 { margin: 0 }
.grid {
  display: grid; gap: 1rem;
  grid-template-columns: repeat(auto-fill, minmax(min(24rem, 100%), 1fr));
}
.grid .card { margin: 0 }
form { display: grid; gap: 1rem; margin: 0 }
form > .card, form > h2 { margin-bottom: 0 }
form > div, fieldset { display: grid; gap: .3rem }
form.row, form > .row { display: flex }
label, legend { font-weight: 600 }
fieldset { border: 1px solid var(--line); border-radius: .6rem; padding: .6rem 1rem 1rem; margin: 0 }
fieldset label { font-weight: 400 }
.field-hint { color: var(--soft) }
input, textarea, select, button { font: inherit; color: inherit }
input:not([type=radio], [type=checkbox], [type=hidden]), textarea, select {
  width: 100%; padding: .55rem .7rem; border: 1px solid var(--edge); border-radius: .5rem;
  background: var(--page);
}
input[type=radio], input[type=checkbox] { width: 1.15rem; height: 1.15rem; accent-color: var(--accent) }
input[type=radio], input[type=checkbox] { margin: 0 .35rem 0 0; vertical-align: -.15rem }
[aria-invalid=true] { outline: 2px solid var(--bad) }
button, .button {
  justify-self: start; padding: .6rem 1.2rem; border: 1px solid var(--accent); border-radius: .5rem;
  background: var(--accent); color: var(--on-accent); font-weight: 600; text-decoration: none;
  cursor: pointer;
}
button:hover, .button:hover { filter: brightness(1.1) }
.quiet { background: transparent; color: var(--accent) }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .5rem .75rem .5rem 0; border-bottom: 1px solid var(--line) }
td { vertical-align: top }
pre, code { font-family: ui-monospace, monospace; font-size: .9em }
pre { overflow: auto; margin: 0 }
img, svg { max-width: 100% }
meter, progress { width: 100%; height: 1rem; accent-color: var(--accent) }
[hidden] { display: none }
"""
# --- the end of the style ---

if __name__ == "__main__":
    run(guestbook)
