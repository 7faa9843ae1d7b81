#!/usr/bin/env python3
"""The members' page: register, log in, change the password, log out.

The classic: Log-in scripts of the nineties kept name and password in a text file beside the pages.

Its holes: Whoever guessed the file's address had all passwords; "no such user" told who was a member;
nobody counted guesses; a session that a stranger had planted was the stranger's after the log-in too.

This one: Passwords are salted and hashed with scrypt. An unknown name is answered like a wrong
password, after the same work. Guesses are limited, and a new password ends all other sessions.
"""

import hashlib
import hmac
import json
import os
import time
import unicodedata

from cgikit import (
    ExpiringCounters,
    FileStore,
    Limits,
    Request,
    Response,
    escape,
    fields,
    run,
    update_json,
)

ACCOUNTS = "data/members.json"
GUESSES = ExpiringCounters("data/members-guesses", seconds=900)
MOST_GUESSES_FOR_A_NAME = 10  # in a quarter of an hour
MOST_GUESSES_OF_AN_ADDRESS = 30
REGISTERED = ExpiringCounters("data/members-registered", seconds=86_400)
MOST_REGISTERED = 20  # in a day, from one address
MOST_MEMBERS = 5_000
COST = {
    "n": 2**14,
    "r": 8,
    "p": 5,
}  # of a hash; other costs make other hashes: all passwords expire

NAME = fields.declare(
    "name",
    label="Name",
    required=True,
    min=2,
    max=30,
    pattern=r"[A-Za-z0-9][A-Za-z0-9_.\-]*",
    messages={"pattern": "Please begin with a letter or a digit, and use no others but . - _"},
)
NEW = fields.declare("new", "password", label="New password", required=True, min=12, max=200)
LOG_IN = [
    fields.declare("name", label="Name", required=True, max=30),
    fields.declare("password", "password", label="Password", required=True, max=200),
]
REGISTER = [NAME, NEW]
CHANGE = [
    fields.declare("password", "password", label="Old password", required=True, max=200),
    NEW,
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
INSIDE = """<p class="lead">Only members see this page.</p>
<p>You have been logged in since {since}.</p>
<div class="row"><a class="button quiet" href="{here}/password">Change the password</a>
{log_out}</div>"""


def members(request: Request):
    session, here = request.session, request.script_name
    page = request.path_info.strip("/")
    if page == "log-out" and request.method == "POST":
        session.check_csrf(request.form.get("csrf"))
        session.destroy()
        session.flash("members", "You are logged out.")
        return Response.redirect(here)
    if session.user and session.user not in accounts():  # the owner of the site deleted it
        session.destroy()
    if session.user:
        if page == "password":
            return change(request)
        # A second click on "Log in" arrives here too: it is answered before its token is checked.
        return (
            inside(request) if page == "" and request.method != "POST" else Response.redirect(here)
        )
    if page == "register":
        return register(request)
    return log_in(request) if page == "" else Response.redirect(here)


def log_in(request: Request):
    values, errors = fields.check(request, LOG_IN)
    status = 422
    if not errors:
        status = guess(request, values["name"], values["password"], errors)
    if not errors:
        enter(request, canonical(values["name"]))
        return Response.redirect(request.script_name)
    rows = [
        fields.text(errors, "name", autocomplete="username", autocapitalize="none"),
        fields.password(errors, "password", autocomplete="current-password"),
    ]
    here = escape(request.script_name)
    more = f'<p>Not a member yet? <a href="{here}/register">Register</a></p>'
    return show(errors, "Log in", rows, status, after=more)


def register(request: Request):
    values, errors = fields.check(request, REGISTER)
    status = 422
    if not errors:
        status = add(request, values["name"], values["new"], errors)
    if not errors:
        enter(request, canonical(values["name"]))
        request.session.flash("members", "Welcome. You are registered.")
        return Response.redirect(request.script_name)
    rows = [
        fields.text(
            errors,
            "name",
            hint="Letters and digits, and . - _ between them.",
            autocomplete="username",
            autocapitalize="none",
        ),
        new_password(errors, label="Password"),
    ]
    here = escape(request.script_name)
    more = f'<p>A member already? <a href="{here}">Log in</a></p>'
    return show(errors, "Register", rows, status, after=more)


def change(request: Request):
    values, errors = fields.check(request, CHANGE)
    user, status = request.session.user, 422
    if not errors:
        status = guess(request, user, values["password"], errors)
    if not errors:
        with update_json(ACCOUNTS) as accounts:
            accounts[user]["password"] = hashed(values["new"])
        request.session.rotate()
        request.session.log_out_others()  # whoever knew the old password is out
        request.session.flash("members", "The password is changed. Other browsers are logged out.")
        return Response.redirect(request.script_name)
    rows = [
        fields.password(errors, "password", autocomplete="current-password"),
        new_password(errors),
    ]
    here = escape(request.script_name)
    return show(
        errors, "Change the password", rows, status, after=f'<p><a href="{here}">Back</a></p>'
    )


# --- the pages -----------------------------------------------------------------------------------


def show(errors, title, rows, status, after=""):
    form = fields.form(
        errors,
        *(f"<div>{row}</div>" for row in rows),
        fields.button(errors, label=title),
        action=errors.request.url(base=False, query=False),
        novalidate=True,
    )
    card = f'<section class="card" aria-label="{title}">{form}</section>'
    content = note(errors.request) + summary(errors) + card + after
    page = PAGE.format(title=title, style=STYLE, content=content)
    return Response.html(page, status) if errors.sent else page


def new_password(errors, **more):
    hint = "At least 12 characters. A few words that do not belong together are good."
    return fields.password(errors, "new", hint=hint, autocomplete="new-password", **more)


def inside(request: Request):
    session, here = request.session, request.script_name
    moment = time.gmtime(session.get("members-since", session.created))
    button = fields.button(request, label="Log out", class_="quiet")
    content = INSIDE.format(
        here=escape(here),
        since=time.strftime("%d %B, %H:%M UTC", moment),
        log_out=fields.form(request, button, action=f"{here}/log-out"),
    )
    title = f"Hello, {escape(session.user)}"
    return PAGE.format(title=title, style=STYLE, content=note(request) + content)


def note(request: Request):
    message = request.session.flash("members")
    return f'<p class="note" role="status">{escape(message)}</p>' if message else ""


def summary(errors):
    """The list of what is wrong with a form, with links to the fields."""
    items = "".join(
        f'<li><a href="#field-{name}">{escape(errors.declared[name].label)}</a>: {escape(said)}</li>'
        for name, said in errors.items()
    )
    if not items:
        return ""
    return f'<div class="errors" role="alert"><h2>Please correct this:</h2><ul>{items}</ul></div>'


# --- the accounts --------------------------------------------------------------------------------


def enter(request: Request, name):
    request.session.user = name  # under a new id: whoever knew the old one is not logged in
    request.session["members-since"] = int(time.time())


def guess(request: Request, name, password, errors):
    """Return the status: 303 if the password is right. Each guess is counted before it is checked."""
    name = canonical(name)
    counters = (
        # The address first: one that is blocked must not go on to lock out others by their names.
        (GUESSES[f"address {network(request.remote_addr)}"], MOST_GUESSES_OF_AN_ADDRESS),
        (GUESSES[f"name {name}"], MOST_GUESSES_FOR_A_NAME),
    )
    for counter, most in counters:
        if counter.increment() > most:
            minutes = -(-counter.left // 60)
            errors["password"] = f"Too many attempts. Please try again in {minutes} minutes."
            return 429
    kept = accounts().get(name, {}).get("password", "00:")  # an unknown name takes as long
    if not hmac.compare_digest(hashed(password, kept.partition(":")[0]), kept):
        errors["password"] = "The name or the password is wrong."  # noqa: S105 -- a message
        return 422
    forget_guesses(name)
    return 303


def forget_guesses(name):
    try:
        del GUESSES[f"name {name}"]
    except KeyError:
        pass  # another log-in at the same time removed it


def add(request: Request, name, password, errors):
    """Return the status: 303 if there is an account now that was not there before."""
    key = canonical(name)
    if key in password.lower():
        errors["new"] = "Please choose a password without your name in it."
        return 422
    if REGISTERED[network(request.remote_addr)].increment() > MOST_REGISTERED:
        errors["name"] = (
            "Too many have registered from your network today. Please come back tomorrow."
        )
        return 429
    entry = {"password": hashed(password), "since": int(time.time())}
    with update_json(ACCOUNTS) as accounts:  # of two who want a name at once, one gets it
        if key in accounts:
            errors["name"] = "This name is taken."
            return 422
        if len(accounts) >= MOST_MEMBERS:
            errors["name"] = "There are as many members as there can be."
            return 503
        accounts[key] = entry
    return 303


def accounts():
    try:
        with open(ACCOUNTS, encoding="utf-8") as file:
            return json.load(file)
    except FileNotFoundError:
        return {}


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


def canonical(name):
    return name.lower()


def hashed(password, salt=""):
    """Salt and hash of a password. The same password typed on another system has the same hash."""
    salt = salt or os.urandom(16).hex()
    text = unicodedata.normalize("NFC", password).encode()
    return f"{salt}:{hashlib.scrypt(text, salt=bytes.fromhex(salt), **COST).hex()}"


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
    os.umask(0o077)  # the files of the accounts are nobody else's
    run(members, sessions=FileStore("data/members-sessions"), limits=Limits(body=20_000))
