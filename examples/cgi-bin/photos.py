#!/usr/bin/env python3
"""The photo gallery: everybody sees the photos, and who knows the password adds and removes some.

The classic: Photo albums of the 2000s kept what was sent where the server served it, by its own name.

Its holes: Names and types came from the sender, so what came could be a script that the server ran, or
a page with a program in it. Thumbnails were made by a program with holes of its own.

This one: The first bytes of a file tell what it is; its name is a random number, and the script alone
sends it. The browser makes photos small. The password is hashed, and guesses are limited.
"""

import hashlib
import hmac
import json
import os
import re
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
    atomic_write,
    escape,
    fields,
    run,
    update_json,
)

FOLDER = Path("data/photos")
LIST = Path("data/photos.json")
OWNER = Path("data/photos-owner.txt")  # made by: python3 photos.py password
GUESSES = ExpiringCounters("data/photos-guesses", seconds=900)
MOST_GUESSES = 10  # in a quarter of an hour, from one address
TITLE = "Photos"
PER_PAGE = 8
MOST_BYTES = 15 << 20  # of a photo
MOST_PHOTOS = 2_000

# By the first bytes of a file: the type that it is sent as. SVG is not among them: it can run programs.
TYPES = {
    rb"\xff\xd8\xff": "image/jpeg",
    rb"\x89PNG\r\n\x1a\n": "image/png",
    rb"GIF8[79]a": "image/gif",
    rb"RIFF....WEBP": "image/webp",
}

ADD = [
    fields.declare("photo", "file", label="Photo", required=True, accept="image/*"),
    fields.declare("title", label="What is on it", required=True, max=120),
]
PASSWORD = [fields.declare("password", "password", label="Password", required=True, max=200)]

PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>{style}
.photos {{ grid-template-columns: repeat(auto-fill, minmax(min(15rem, 100%), 1fr)); margin: 0 0 1rem }}
.photos .card {{ padding: .6rem }}
figure img {{ display: block; width: 100%; aspect-ratio: 4 / 3; object-fit: cover }}
figcaption {{ padding: .5rem .25rem 0 }}
</style>
<body class="wide">
<main>
<h1>{title}</h1>
{content}
</main>
</body>
"""
PHOTO = """<figure class="card">
<a href="{here}/{key}"><img src="{here}/{key}" alt="{title}" loading="lazy"></a>
<figcaption>{title}{button}</figcaption>
</figure>"""
REMOVE = """<p><button name="remove" value="{key}" class="quiet"
 aria-label="Remove: {title}">Remove</button></p>"""


def photos(request: Request):
    page = request.path_info.removeprefix("/")
    if page == "owner":
        return owner(request)
    if page:
        return photo(page)
    return index(request)


def photo(key):
    """Send a photo, as the type that it has."""
    kept = listed().get(key)  # whatever the key is: only what is listed is a name
    if kept is None:
        raise HTTPError(404, "There is no such photo.")
    response = Response.file(FOLDER / key, content_type=kept["type"])
    # Nothing in it runs, even if a browser should take it for a page.
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.headers["Cache-Control"] = "max-age=86400"
    return response


def index(request: Request):
    kept = list(listed().items())[::-1]
    pages = max(1, -(-len(kept) // PER_PAGE))
    page = request.query.getint("page", default=1, min=1, max=pages)
    here = escape(request.script_name)
    shown = kept[(page - 1) * PER_PAGE : page * PER_PAGE]
    newer = f'<a href="{here}?page={page - 1}" rel="prev">Newer</a>' if page > 1 else ""
    older = f'<a href="{here}?page={page + 1}" rel="next">Older</a>' if page < pages else ""
    steps = (
        f'<nav class="row split" aria-label="Pages">{newer} Page {page} of {pages} {older}</nav>'
    )
    content = [
        figures(here, shown) or "<p>There are no photos yet.</p>",
        steps if pages > 1 else "",
        f'<p class="soft"><a href="{here}/owner">Add a photo</a></p>',
    ]
    return PAGE.format(title=escape(TITLE), style=STYLE, content="\n".join(content))


def figures(here, shown, button=""):
    made = []
    for key, each in shown:
        title = escape(each["title"])
        filled = button.format(key=escape(key), title=title)
        made.append(PHOTO.format(here=here, key=escape(key), title=title, button=filled))
    return f'<div class="grid photos">{"".join(made)}</div>' if made else ""


def listed():
    try:
        return json.loads(LIST.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}


# --- the owner -----------------------------------------------------------------------------------


def owner(request: Request):
    session = request.session
    if not session.get("photos-owner"):
        return log_in(request)
    if request.method == "POST" and {"remove", "log-out"} & set(request.form):
        session.check_csrf(request.form.get("csrf"))
        if "log-out" in request.form:
            session.destroy()
            return Response.redirect(request.script_name)
        remove(request.form.get("remove"))
        return Response.redirect(request.url(base=False, query=False))
    values, errors = fields.check(request, ADD)
    if not errors:
        add(values["photo"], values["title"], errors)
    if not errors:
        return Response.redirect(request.url(base=False, query=False))
    page = owner_page(add_form(errors) + removal(request))
    return Response.html(page, 422) if errors.sent else page


def add(file, title, errors):
    kind = type_of(file.read(16))
    if kind is None:
        errors["photo"] = "This is no JPEG, PNG, GIF or WebP."
        return
    FOLDER.mkdir(mode=0o700, exist_ok=True)
    key = secrets.token_hex(8)
    with update_json(LIST) as kept:
        if len(kept) >= MOST_PHOTOS:
            errors["photo"] = "The gallery is full."
            return
        file.save(FOLDER / key)  # before it is listed: a photo that is listed is there
        kept[key] = {"title": title, "type": kind, "since": int(time.time())}


def type_of(start):
    """Return the type of a photo by its first bytes, or None."""
    for begins, kind in TYPES.items():
        if re.match(begins, start, re.DOTALL):
            return kind
    return None


def remove(key):
    with update_json(LIST) as kept:
        known = kept.pop(key, None)
    if known:  # anything else that was sent is not a file name
        with suppress(FileNotFoundError):
            (FOLDER / key).unlink()


def owner_page(content):
    return PAGE.format(title=f"{escape(TITLE)}: add and remove", style=STYLE, content=content)


def add_form(errors):
    filled = fields.form(
        errors,
        f"<div>{fields.file(errors, 'photo', hint=f'At most {MOST_BYTES >> 20} MB.')}</div>",
        f"<div>{fields.text(errors, 'title')}</div>",
        fields.button(errors, label="Add"),
        novalidate=True,
    )
    return f'{summary(errors)}<section class="card" aria-label="Add a photo">{filled}</section>'


def removal(request: Request):
    here = escape(request.script_name)
    return fields.form(
        request,
        f'<p class="row split"><a href="{here}">To the photos</a>'
        '<button name="log-out" value="1" class="quiet">Log out</button></p>',
        figures(here, list(listed().items())[::-1], REMOVE),
    )


def summary(errors):
    """The list of what is wrong with a form, with links to the fields."""
    items = "".join(
        f'<li><a href="#field-{name}">{escape(errors.declared[name].label)}</a>: {escape(said)}</li>'
        for name, said in errors.items()
    )
    if not items:
        return ""
    return f'<div class="errors" role="alert"><h2>Please correct this:</h2><ul>{items}</ul></div>'


def log_in(request: Request):
    if not OWNER.exists():
        return owner_page(
            "<p>There is no password yet: <code>python3 photos.py password</code></p>"
        )
    values, errors = fields.check(request, PASSWORD)
    status = 422
    if not errors:
        status = guess(request, values["password"], errors)
    if not errors:
        request.session.rotate()  # whoever knew the id before knows it no more
        request.session["photos-owner"] = True
        return Response.redirect(request.url(base=False, query=False))
    filled = fields.form(
        errors,
        f"<div>{fields.password(errors, 'password', autocomplete='current-password')}</div>",
        fields.button(errors, label="Log in"),
        novalidate=True,
    )
    page = owner_page(
        f'{summary(errors)}<section class="card" aria-label="Log in">{filled}</section>'
    )
    return Response.html(page, status) if errors.sent else page


def guess(request: Request, password, errors):
    """Return the status: 303 if it is the password. Each guess is counted before it is checked."""
    counter = GUESSES[network(request.remote_addr)]
    if counter.increment() > MOST_GUESSES:
        minutes = -(-counter.left // 60)
        errors["password"] = f"Too many attempts. Please try again in {minutes} minutes."
        return 429
    salt, _, expected = OWNER.read_text(encoding="ascii").strip().partition(":")
    if not hmac.compare_digest(hashed(password, salt), expected):
        errors["password"] = "This is not the password."  # noqa: S105 -- a message
        return 422
    return 303


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
    return hashlib.scrypt(password.encode(), salt=bytes.fromhex(salt), n=2**14, r=8, p=5).hex()


def set_password():
    """Ask for the password at a terminal, and keep its hash."""
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
        run(
            photos,
            sessions=FileStore("data/sessions"),
            limits=Limits(body=MOST_BYTES + 20_000, file=MOST_BYTES, files=1),
            upload_dir=FOLDER,
        )
