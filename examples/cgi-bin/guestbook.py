#!/usr/bin/env python3
"""The guestbook: visitors sign it, and its owner decides what is shown.

The classic: Guestbook.pl (Matt's Script Archive, 1995) wrote each entry into the page itself, as HTML.

Its holes: An entry with a server-side include ran commands (CVE-1999-1053); two visitors at once
damaged the page; whatever was sent was shown at once, advertisements included.

This one: Entries are lines of a file, whole and escaped. Nothing is shown before the owner agrees. A
hidden field, the time that a form takes and the links in it give most programs away.
"""

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
    Limits,
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

FILE = Path("data/guestbook.txt")  # a line for each entry: time, name, home page, text[, picture]
WAITING = "data/guestbook-waiting.json"  # the lines that the owner has not seen
OWNER = Path("data/guestbook-owner.txt")  # made by: python3 guestbook.py password
GUESSES = ExpiringCounters("data/guestbook-guesses", seconds=600)
MOST_GUESSES = 5  # in ten minutes, from one network
PICTURES = Path("data/guestbook-pictures")
#: How files of these kinds begin, and how their names end.
KINDS = {b"\x89PNG\r\n\x1a\n": ".png", b"\xff\xd8\xff": ".jpg", b"GIF8": ".gif"}
LARGEST = 2 << 20  # bytes
LIMITS = Limits(body=9 << 20, file=8 << 20, files=1)  # beyond these, no more is read
MODERATED = True
PER_PAGE = 10
MOST_WAITING = 500
SIGNED = ExpiringCounters("data/guestbook-signed", seconds=3600)
MOST_SIGNED = 50  # entries in an hour, from one network
MOST_LINKS = 2
LEAST_SECONDS = 3  # nobody reads the form and signs it faster


def ending(picture):
    """How the name of a picture has to end, by what is in the file; "" if it is none."""
    first = picture.file.read(8)
    picture.file.seek(0)
    return next((KINDS[begin] for begin in KINDS if first.startswith(begin)), "")


def check_picture(picture):
    return None if ending(picture) else "Please choose a PNG, JPEG or GIF file."


ENTRY = [
    fields.declare("name", label="Your name", required=True, max=60),
    fields.declare("home", "url", label="Home page", max=200),
    fields.declare("text", "text", label="Your words", required=True, max=1000),
    fields.declare("picture", "file", label="A picture", max=LARGEST, check=check_picture),
    fields.declare("subject", label="Leave this empty", max=200),
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
{picture}
{buttons}
</article>"""
BUTTON = (
    '<button name="{do}" value="{key}" class="{kind}" aria-label="{label}: {name}">{label}</button>'
)
LOG_OUT = """<p class="row split"><a href="{here}">To the guestbook</a>
<button name="log-out" value="1" class="quiet">Log out</button></p>"""
DROP_ALL = '<p><button name="drop-all" value="1" class="quiet">Delete all that wait</button></p>'


def guestbook(request: Request):
    if request.path_info == "/owner":
        return owner(request)
    if request.path_info.startswith("/picture/"):
        return send_picture(request, request.path_info.removeprefix("/picture/"))
    if request.path_info not in {"", "/"}:
        raise HTTPError(404, "There is no such page in this guestbook.")
    values, errors = fields.check(request, ENTRY)
    of_a_program = not errors and is_of_a_program(request, values, errors)
    if not errors:
        # A program is not told that it was found out, nor a person that the button was clicked twice.
        signed = [values["name"], values["text"]]
        if not of_a_program and request.session.get("signed") != signed:
            keep(values)
            request.session["signed"] = signed
        waits = " It is shown as soon as the owner has read it." if MODERATED else ""
        request.session.flash("message", f"Thank you for signing.{waits}")
        return Response.redirect(request.url(base=False, query=False))
    request.session.setdefault("begun", int(time.time()))
    page = show(request, sign_form(errors))
    return Response.html(page, 422) if errors.sent else page


def is_of_a_program(request: Request, values, errors):
    """Whether an entry is to be dropped. What a person may have done becomes an error."""
    now = time.time()  # it may be before the beginning, if the clock was set back meanwhile
    if 0 <= now - request.session.get("begun", now) < LEAST_SECONDS:
        errors["text"] = f"That was quick. Please wait {LEAST_SECONDS} seconds, and sign again."
    if values["text"].count("://") > MOST_LINKS:
        errors["text"] = f"Please use no more than {MOST_LINKS} links."
    if not errors and SIGNED[network(request.remote_addr)].increment() > MOST_SIGNED:
        errors["text"] = "Too many entries in this hour. Please come back later."
    return values["subject"] != ""


def keep(values):
    """Keep an entry: for the owner, or where it is shown."""
    line = new_line(values)
    try:
        if MODERATED:
            let_wait(line)
        else:
            append_line(FILE, line)
    except BaseException:  # such as a full disk: no picture stays without its entry
        if picture_of(line):
            (PICTURES / picture_of(line)).unlink(missing_ok=True)
        raise


def let_wait(line):
    with update_json(WAITING, default={}) as waiting:
        if len(waiting) >= MOST_WAITING:
            raise HTTPError(503, "Too many entries wait for the owner. Please come back later.")
        waiting[secrets.token_hex(8)] = line


def new_line(values):
    """What is kept of an entry. Its picture is kept now."""
    # A line of its own for each entry: U+2028 stands for the line ends in a text.
    text = "\u2028".join(" ".join(line.split()) for line in values["text"].splitlines())
    name, home = (" ".join(values[field].split()) for field in ("name", "home"))
    line = f"{int(time.time())}\t{name}\t{home}\t{text}"
    if values["picture"]:
        line += f"\t{keep_picture(values['picture'])}"
    return line


def keep_picture(picture):
    """Keep a picture under a name that no visitor has chosen; return the name."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    name = secrets.token_hex(16) + ending(picture)
    picture.save(PICTURES / name)
    return name


def picture_of(line):
    """The name of an entry's picture, "" if it has none."""
    return "".join(line.split("\t")[4:5])


def send_picture(request: Request, name):
    """Send a picture to everybody if its entry is shown, and to the owner if it waits."""
    lines = entries()
    request.session.readonly = True  # a page of ten pictures: none waits for the others
    if request.session.get("guestbook-owner"):
        with update_json(WAITING, default={}) as waiting:
            lines += waiting.values()
    if name not in {picture_of(line) for line in lines} - {""}:
        raise HTTPError(404, "There is no such picture.")
    return Response.file(PICTURES / name)


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
        *(entry(line, here) for line in shown),
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
        fields.file(errors, "picture", hint="Not needed. PNG, JPEG or GIF, at most 2 MB."),
        fields.text(errors, "subject", autocomplete="off", tabindex=-1),
    ]
    trap = parts.pop()
    rows = "\n".join(f"<div>{part}</div>" for part in parts)
    button = fields.button(errors, label="Sign the guestbook")
    form = fields.form(errors, rows, f"<div hidden>{trap}</div>", button, novalidate=True)
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


def entry(line, here, buttons=""):
    when, name, home, text = line.split("\t")[:4]
    who = escape(name)
    if home.startswith(("https://", "http://")):  # never javascript:
        who = f'<a href="{escape(home)}" rel="nofollow ugc">{who}</a>'
    picture = ""
    if file := picture_of(line):
        picture = f'<p><img src="{here}/picture/{file}" alt="A picture of {escape(name)}\'s"></p>'
    moment = time.gmtime(int(when))
    return SHOWN.format(
        name=who,
        date=time.strftime("%Y-%m-%dT%H:%MZ", moment),
        when=time.strftime("%d %B %Y, %H:%M", moment),
        text=escape(text.replace("\u2028", "\n")),
        picture=picture,
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
        *(entry(line, here, buttons(key, line, approve, drop)) for key, line in lines.items()),
        f"<h2>Shown: the last {len(shown)}</h2>",
        *(entry(line, here, buttons(key, line, take_down)) for key, line in shown.items()),
        DROP_ALL if lines else "",
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
    elif "drop-all" in form:
        drop_all()
    else:
        with update_json(WAITING, default={}) as waiting:
            line = waiting.pop(form.get("approve") or form.get("drop", ""), None)
            if line and "approve" in form:  # before it is gone there: better twice than never
                append_line(FILE, line)
        if line and "drop" in form and picture_of(line):
            (PICTURES / picture_of(line)).unlink(missing_ok=True)
    return Response.redirect(request.url(base=False, query=False))


def drop_all():
    """Delete all entries that wait, and their pictures: after a flood."""
    with update_json(WAITING, default={}) as waiting:
        pictures = [picture_of(line) for line in waiting.values()]
        waiting.clear()
    for picture in filter(None, pictures):
        (PICTURES / picture).unlink(missing_ok=True)


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
    os.umask(0o077)  # what waits, and addresses, are nobody else's
    if sys.argv[1:] == ["password"] and "REQUEST_METHOD" not in os.environ:
        set_password()
    else:
        run(guestbook, sessions=FileStore("data/sessions"), limits=LIMITS)
