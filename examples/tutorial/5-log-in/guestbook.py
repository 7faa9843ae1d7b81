#!/usr/bin/env python3
"""A guestbook, step 5: the owner logs in, and decides what is shown."""

import hashlib
import hmac
import os
import secrets
import sys
import time
from contextlib import suppress
from pathlib import Path

from cgikit import (
    ExpiringCounters,
    FileStore,
    HTTPError,
    Request,
    Response,
    append_line,
    atomic_write,
    escape,
    fields,
    lock,
    read_lines,
    run,
    update_json,
)

FILE = Path("data/guestbook.txt")  # a line for each entry: time, name, home page, text
WAITING = "data/guestbook-waiting.json"  # the lines that the owner has not seen
OWNER = Path("data/guestbook-owner.txt")  # made by: python3 guestbook.py password
GUESSES = ExpiringCounters("data/guestbook-guesses", seconds=600)
MOST_GUESSES = 5  # in ten minutes, from one network
PER_PAGE = 10

ENTRY = [
    fields.declare("name", label="Your name", required=True, max=60),
    fields.declare("home", "url", label="Home page", max=200),
    fields.declare("text", "text", label="Your words", required=True, max=1000),
]
PASSWORD = [fields.declare("password", "password", label="Password", required=True, max=200)]

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
{buttons}
</article>"""
BUTTON = (
    '<button name="{do}" value="{key}" class="{kind}" aria-label="{label}: {name}">{label}</button>'
)
LOG_OUT = """<p class="row split"><a href="{here}">To the guestbook</a>
<button name="log-out" value="1" class="quiet">Log out</button></p>"""


def guestbook(request: Request):
    if request.path_info == "/owner":
        return owner(request)
    if request.path_info not in {"", "/"}:
        raise HTTPError(404, "There is no such page in this guestbook.")
    values, errors = fields.check(request, ENTRY)
    if not errors:
        keep(values)
        waits = "It is shown as soon as the owner has read it."
        request.session.flash("message", f"Thank you for signing. {waits}")
        return Response.redirect(request.url(base=False, query=False))
    page = show(request, sign_form(errors))
    return Response.html(page, 422) if errors.sent else page


def keep(values):
    """Keep an entry for the owner."""
    # A line of its own for each entry: U+2028 stands for the line ends in a text.
    text = "\u2028".join(" ".join(line.split()) for line in values["text"].splitlines())
    name, home = (" ".join(values[field].split()) for field in ("name", "home"))
    with update_json(WAITING, default={}) as waiting:
        waiting[secrets.token_hex(8)] = f"{int(time.time())}\t{name}\t{home}\t{text}"


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
        f'<p class="soft"><a href="{here}/owner">For the owner</a></p>',
    ]
    return PAGE.format(title="Guestbook", style=STYLE, content="\n".join(content))


def note(request: Request):
    message = request.session.flash("message")
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


def entry(line, buttons=""):
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
        buttons=buttons,
    )


# --- the owner -----------------------------------------------------------------------------------


def owner(request: Request):
    if request.session.get("guestbook-owner"):
        return decide(request) if request.method == "POST" else show_waiting(request)
    if not OWNER.exists():
        return owner_page(
            "<p>There is no password yet: <code>python3 guestbook.py password</code></p>"
        )
    values, errors = fields.check(request, PASSWORD)
    if errors.sent and not errors and not is_password(request, values["password"]):
        errors.update({"password": "This is not the password."})
    if errors:
        page = owner_page(log_in_form(errors))
        return Response.html(page, 422) if errors.sent else page
    request.session.rotate()  # whoever knew the id before knows it no more
    request.session["guestbook-owner"] = True
    return Response.redirect(request.url(base=False, query=False))


def owner_page(content):
    return PAGE.format(title="Guestbook: for the owner", style=STYLE, content=content)


def log_in_form(errors):
    form = fields.form(
        errors,
        f"<div>{fields.password(errors, 'password', autocomplete='current-password')}</div>",
        fields.button(errors, label="Log in"),
        novalidate=True,
    )
    return f'{summary(errors)}<section class="card" aria-label="Log in">{form}</section>'


def show_waiting(request: Request):
    here = escape(request.script_name)
    with update_json(WAITING, default={}) as waiting:  # unchanged, so nothing is written
        lines = dict(waiting)
    shown = {digest(line): line for line in entries()[:-51:-1]}
    approve, drop = ("approve", "Show", ""), ("drop", "Delete", "quiet")
    take_down = ("take-down", "Take down", "quiet")
    content = [
        note(request),
        f"<h2>Waiting: {len(lines)}</h2>",
        *(entry(line, buttons(key, line, approve, drop)) for key, line in lines.items()),
        f"<h2>Shown: the last {len(shown)}</h2>",
        *(entry(line, buttons(key, line, take_down)) for key, line in shown.items()),
        LOG_OUT.format(here=here),
    ]
    return owner_page(fields.form(request, *content))


def buttons(key, line, *wanted):
    name = escape(line.split("\t")[1])
    made = (
        BUTTON.format(do=do, key=key, label=label, kind=kind, name=name)
        for do, label, kind in wanted
    )
    return f'<p class="row">{" ".join(made)}</p>'


def decide(request: Request):
    request.session.check_csrf(request.form.get("csrf"))
    form = request.form
    if "log-out" in form:
        request.session.destroy()
        return Response.redirect(request.script_name)
    if "take-down" in form:
        take_down(form["take-down"])
    else:
        with update_json(WAITING, default={}) as waiting:
            line = waiting.pop(form.get("approve") or form.get("drop", ""), None)
            if line and "approve" in form:  # before it is gone there: better twice than never
                append_line(FILE, line)
    return Response.redirect(request.url(base=False, query=False))


def take_down(key):
    """Take an entry out of what is shown; it waits again."""
    line = next((line for line in entries() if digest(line) == key), None)
    if line is None:
        return
    with update_json(WAITING, default={}) as waiting:  # first: better twice than never
        waiting[key] = line
    with lock(FILE):  # never inside the other one: who approves takes them the other way round
        lines = FILE.read_bytes().splitlines(keepends=True)
        kept = [raw for raw in lines if digest(raw.decode(errors="replace").rstrip("\n")) != key]
        atomic_write(FILE, b"".join(kept))


def digest(line):
    return hashlib.sha256(line.encode()).hexdigest()[:16]


def is_password(request: Request, password):
    """Whether it is the owner's. Each guess is counted first, so guesses at the same time are too."""
    address = network(request.remote_addr)
    guesses = GUESSES[address]
    if guesses.increment() > MOST_GUESSES:
        headers = {"Retry-After": str(guesses.left)}
        raise HTTPError(429, "Too many guesses. Please wait ten minutes.", headers)
    salt, _, expected = OWNER.read_text(encoding="ascii").strip().partition(":")
    found = hmac.compare_digest(hashed(password, salt), expected)
    if found:
        with suppress(KeyError):  # another log-in at the same time removed it
            del GUESSES[address]
    return found


def network(address):
    """An IPv4 address as it is; of IPv6 the first half, which is what one customer gets at least."""
    if ":" not in address:
        return address
    import ipaddress

    try:
        parsed = ipaddress.IPv6Address(address)
    except ValueError:  # what some servers say of a socket of the file system
        return address
    if parsed.ipv4_mapped:  # ::ffff:192.0.2.7, at a server that listens on both
        return str(parsed.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(parsed) >> 64 << 64, 64)))


def hashed(password, salt):
    return hashlib.scrypt(password.encode(), salt=bytes.fromhex(salt), n=2**14, r=8, p=1).hex()


def set_password():
    """Ask for the owner's password at a terminal, and keep its hash."""
    from getpass import getpass

    salt = secrets.token_hex(16)
    atomic_write(OWNER, f"{salt}:{hashed(getpass('New password: '), salt)}\n", mode=0o600)


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
    if sys.argv[1:] == ["password"] and "REQUEST_METHOD" not in os.environ:
        set_password()
    else:
        run(guestbook, sessions=FileStore("data/sessions"))
