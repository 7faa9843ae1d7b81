#!/usr/bin/env python3
"""The upload box: visitors send files to the owner, and see how far they have come.

The classic: Upload scripts of the nineties kept files under their own names, where the server served
them.

Its holes: A file called index.html or ../counter.cgi replaced yours, and a program that was sent could
be run. There was no limit, and nobody saw whether a file was still arriving.

This one: Files are kept under names of the script, and nobody can fetch them: the owner takes them from
the folder. There are limits. JavaScript shows the progress; without it all else works.
"""

import os
import secrets
import time
from contextlib import suppress
from pathlib import Path

from cgikit import (
    ExpiringCounters,
    FileStore,
    HTTPError,
    Limits,
    Request,
    Response,
    append_line,
    escape,
    fields,
    lock,
    run,
)

FOLDER = Path("data/uploads")
LIST = "data/uploads.txt"  # a line for each file: time, its name here, bytes, its name there, note
MOST_FILE = 50 << 20  # bytes of a file
MOST_FILES = 5  # at once
MOST_BODY = 100 << 20  # bytes of all of them
MOST_ALL = 1 << 30  # bytes in the folder; then the box is full
SENT = ExpiringCounters("data/uploads-sent", seconds=3600)
MOST_AN_HOUR = 20  # times, from one address

FORM = [
    fields.declare("file", "file", label="Files", required=True, multiple=True),
    fields.declare("note", label="A note for the owner", max=200),
]

PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Upload box</title>
<style>{style}</style>
<main>
<h1>Upload box</h1>
<p class="lead">Send us files. Only the owner of this site gets them.</p>
{content}
</main>
<script>{script}</script>
"""

# Sends the form as the browser would, and shows the answer in this page.
SCRIPT = """
document.addEventListener("submit", function (event) {
  const form = event.target, bar = form.querySelector("progress");
  if (!bar) return;
  event.preventDefault();
  const sending = new XMLHttpRequest(), button = form.querySelector("button");
  const done = form.querySelector("output");
  sending.upload.onprogress = function (now) {
    bar.value = now.lengthComputable ? now.loaded / now.total : 0;
    done.textContent = Math.floor(100 * bar.value) + " %";
  };
  sending.onload = function () {
    const page = new DOMParser().parseFromString(sending.responseText, "text/html");
    const main = page.querySelector("main");
    if (!main) return sending.onerror();
    document.querySelector("main").replaceWith(main);
    const said = main.querySelector("[role=status], [role=alert], h1");
    said.tabIndex = -1;
    said.focus();
  };
  sending.onerror = function () {
    done.textContent = "The files did not arrive. They may be too large. Please try again.";
    button.disabled = false;
  };
  sending.open("POST", form.action);
  sending.send(new FormData(form));
  button.disabled = true;
  bar.parentElement.hidden = false;
});
"""
PROGRESS = """<div hidden>
<progress max="1" value="0" aria-label="Progress"></progress> <output></output>
</div>"""


def uploads(request: Request):
    if request.path_info not in {"", "/"}:
        raise HTTPError(404, "There is nothing to fetch here.")
    values, errors = fields.check(request, FORM)
    status = 422
    if not errors:
        status = refuse(request, errors) or keep(values, errors)
    if not errors:
        files = values["file"]
        said = ", ".join(f"{file.filename} ({size(file.size)})" for file in files)
        request.session.flash("uploads", f"Thank you. We have: {said}.")
        return Response.redirect(request.url(base=False, query=False))
    message = request.session.flash("uploads")
    note = f'<p class="note" role="status">{escape(message)}</p>' if message else ""
    page = PAGE.format(style=STYLE, script=SCRIPT, content=note + form(errors))
    return Response.html(page, status) if errors.sent else page


def refuse(request: Request, errors):
    """Return the status if nothing more is taken from this address, else 0."""
    counter = SENT[request.remote_addr]
    if counter.increment() <= MOST_AN_HOUR:
        return 0
    minutes = -(-counter.left // 60)
    errors["file"] = f"You have sent enough in this hour. Try again in {minutes} minutes."
    return 429


def keep(values, errors):
    """Keep the files. Return the status, 507 if the box is full."""
    FOLDER.mkdir(mode=0o700, exist_ok=True)
    with lock(FOLDER):  # or two visitors at once would fill it twice
        if sum(kept.size for kept in values["file"]) > MOST_ALL - filled():
            errors["file"] = "The box is full. Please write to the owner of this site."
            return 507
        for file in values["file"]:
            name = (
                f"{time.strftime('%Y%m%d')}-{secrets.token_hex(8)}"  # nothing of the client's name
            )
            file.save(FOLDER / name)
            append_line(
                LIST, f"{int(time.time())}\t{name}\t{file.size}\t{file.filename}\t{values['note']}"
            )
    return 303


def filled():
    found = 0
    for entry in os.scandir(FOLDER):
        with suppress(FileNotFoundError):  # the owner may be taking it away just now
            found += entry.stat(follow_symlinks=False).st_size
    return found


def form(errors):
    most = f"Up to {MOST_FILES} files, {size(MOST_FILE)} each, {size(MOST_BODY)} in all."
    rows = [
        fields.file(errors, "file", hint=most),
        fields.text(errors, "note", hint="Not needed."),
    ]
    filled_in = fields.form(
        errors,
        *(f"<div>{row}</div>" for row in rows),
        PROGRESS,
        fields.button(errors, label="Send"),
        novalidate=True,
    )
    return f'{summary(errors)}<section class="card" aria-label="Files">{filled_in}</section>'


def summary(errors):
    """The list of what is wrong with a form, with links to the fields."""
    items = "".join(
        f'<li><a href="#field-{name}">{escape(errors.declared[name].label)}</a>: {escape(said)}</li>'
        for name, said in errors.items()
    )
    if not items:
        return ""
    return f'<div class="errors" role="alert"><h2>Please correct this:</h2><ul>{items}</ul></div>'


def size(number):
    """Bytes in words: 1.5 MB."""
    for unit in ("bytes", "kB", "MB"):
        if number < 1024:
            return f"{number:.3g} {unit}"
        number /= 1024
    return f"{number:.3g} GB"


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
    run(
        uploads,
        sessions=FileStore("data/sessions"),
        limits=Limits(body=MOST_BODY, file=MOST_FILE, files=MOST_FILES),
        upload_dir=FOLDER,
    )
