#!/usr/bin/env python3
"""The message board: threads of messages, each message a file, shown when the owner agrees.

The classic: WWWBoard (Matt's Script Archive, 1995) wrote each message as an HTML page, and changed the
pages of the messages that it answered.

Its holes: The owner's password was in a file that everybody could read (CVE-1999-0953), and the default
was widely known. A forged field `followup` destroyed other messages (CVE-1999-0930).

This one: A message names the one that it answers, and no other file is touched. The password has no
default; its scrypt hash is in a file with mode 0600. Messages wait until the owner shows them.
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
    Counter,
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
)

DIRECTORY = Path("data/board")  # 12.txt is shown, 12.waiting waits for the owner
OWNER = Path("data/board-owner.txt")  # made by: python3 board.py password
GUESSES = ExpiringCounters("data/board-guesses", seconds=600)
MOST_GUESSES = 5  # in ten minutes, from one network
MODERATED = True
PER_PAGE = 20  # threads
MOST_WAITING = 500
SENT = ExpiringCounters("data/board-sent", seconds=3600)
MOST_SENT = 50  # messages in an hour, from one network
MOST_LINKS = 2
LEAST_SECONDS = 3  # nobody reads the form and fills it in faster


def check_name(name):
    return None if any(map(str.isprintable, name)) else "Please give a name that can be seen."


MESSAGE = [
    fields.declare("name", label="Your name", required=True, max=60, check=check_name),
    fields.declare("subject", label="Subject", required=True, max=100),
    fields.declare("text", "text", label="Message", required=True, max=5000),
    fields.declare("homepage", label="Leave this empty", max=200),
]
PASSWORD = [fields.declare("password", "password", label="Password", required=True, max=200)]

PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>{style}
.above {{ margin-bottom: 1rem }}
.depth-1 {{ margin-left: min(4%, 1.5rem) }}
.depth-2 {{ margin-left: min(8%, 3rem) }}
.depth-3 {{ margin-left: min(12%, 4.5rem) }}
</style>
<main>
<h1>{title}</h1>
{content}
</main>
"""
THREAD = """<article class="card">
<h2><a href="{here}/{number}">{subject}</a></h2>
<p class="soft">by {name}, <time datetime="{date}">{when}</time> · {answers}</p>
</article>"""
SHOWN = """<article class="card depth-{depth}" id="message-{number}">
<header class="row split"><h2>{subject}</h2> <time datetime="{date}">{when}</time></header>
<p class="soft">by {name}</p>
<p class="text">{text}</p>
{more}
</article>"""
BUTTON = (
    '<button name="{do}" value="{number}" class="{kind}" aria-label="{label}: {name}">'
    "{label}</button>"
)
LOG_OUT = """<p class="row split"><a href="{here}">To the board</a>
<button name="log-out" value="1" class="quiet">Log out</button></p>"""
DROP_ALL = '<p><button name="drop-all" value="1" class="quiet">Delete all that wait</button></p>'


def board(request: Request):
    if request.path_info == "/owner":
        return owner(request)
    messages = read_all(".txt")
    number = request.path_info.removeprefix("/")
    if number and number not in messages:
        raise HTTPError(404, "There is no such message on this board.")
    values, errors = fields.check(request, MESSAGE)
    of_a_program = not errors and is_of_a_program(request, values, errors)
    if not errors:
        message = [number, *(values[each] for each in ("name", "subject", "text"))]
        # A program is not told that it was found out, nor a person that the button was clicked twice.
        if not of_a_program and request.session.get("board-sent") != message:
            keep(number, values)
            request.session["board-sent"] = message
        request.session["name"] = values["name"]
        waits = " It is shown as soon as the owner has read it." if MODERATED else ""
        request.session.flash("message", f"Thank you for your message.{waits}")
        return Response.redirect(request.url(base=False, query=False))
    request.session.setdefault("begun", int(time.time()))
    show = show_message if number else show_threads
    page = show(request, messages, errors)
    return Response.html(page, 422) if errors.sent else page


def is_of_a_program(request: Request, values, errors):
    """Whether a message is to be dropped. What a person may have done becomes an error."""
    now = time.time()  # it may be before the beginning, if the clock was set back meanwhile
    if 0 <= now - request.session.get("begun", now) < LEAST_SECONDS:
        errors["text"] = f"That was quick. Please wait {LEAST_SECONDS} seconds, and send it again."
    if values["text"].count("://") > MOST_LINKS:
        errors["text"] = f"Please use no more than {MOST_LINKS} links."
    if not errors and SENT[network(request.remote_addr)].increment() > MOST_SENT:
        errors["text"] = "Too many messages in this hour. Please come back later."
    return values["homepage"] != ""


# --- the files -----------------------------------------------------------------------------------


def read_all(ending):
    """Return the messages by number, the oldest first. A file that is not a message is left out."""
    found = {}
    for path in DIRECTORY.glob(f"*{ending}"):
        if path.stem.isascii() and path.stem.isdecimal():
            try:
                found[path.stem] = read(path)
            except (ValueError, KeyError, OSError):  # or taken down at this moment
                continue
    return {number: found[number] for number in sorted(found, key=int)}


def read(path):
    head, _, text = path.read_text(encoding="utf-8", errors="replace").partition("\n\n")
    said = dict(line.split(": ", 1) for line in head.split("\n"))
    # A message answers an older one. Whatever else a file says would make a circle.
    answers = said["parent"].isdecimal() and int(said["parent"]) < int(path.stem)
    parent = said["parent"] if answers else ""
    when = int(said["time"][:11])  # there are no dates for longer numbers
    kept = {key: said[key] for key in ("name", "subject")}
    return {**kept, "parent": parent, "time": when, "text": text}


def keep(parent, values):
    """Keep a message: for the owner, or where it is shown. No other message is changed."""
    if MODERATED and len(list(DIRECTORY.glob("*.waiting"))) >= MOST_WAITING:
        raise HTTPError(503, "Too many messages wait for the owner. Please come back later.")
    name, subject = (" ".join(values[field].split()) for field in ("name", "subject"))
    head = {"parent": parent, "name": name, "subject": subject, "time": int(time.time())}
    lines = "".join(f"{key}: {value}\n" for key, value in head.items())
    text = "\n".join(values["text"].splitlines())
    path = DIRECTORY / f"{new_number()}{'.waiting' if MODERATED else '.txt'}"
    atomic_write(path, f"{lines}\n{text}")


def new_number():
    """Return a number that no message has, even if the file of the last one was lost."""
    counter = Counter(DIRECTORY / "number")
    number = counter.increment()
    last = max(map(int, [*read_all(".txt"), *read_all(".waiting")]), default=0)
    return number if number > last else counter.increment(last + 1 - number)


# --- the pages -----------------------------------------------------------------------------------


def show_threads(request: Request, messages, errors):
    answers = by_parent(messages)
    threads = {first: below(first, answers) for first in answers.get("", [])}
    # The thread with the latest message comes first.
    latest = sorted(threads, key=lambda first: -max(int(number) for number, _ in threads[first]))
    pages = max(1, -(-len(threads) // PER_PAGE))
    page = request.query.getint("page", default=1, min=1, max=pages)
    here = escape(request.script_name)
    shown = latest[(page - 1) * PER_PAGE : page * PER_PAGE]
    newer = f'<a href="{here}?page={page - 1}" rel="prev">Newer</a>' if page > 1 else ""
    older = f'<a href="{here}?page={page + 1}" rel="next">Older</a>' if page < pages else ""
    content = [
        note(request),
        summary(errors),
        *(thread(number, messages, len(threads[number]) - 1, here) for number in shown),
        "" if threads else "<p>There are no messages yet.</p>",
        f'<nav class="row split" aria-label="Pages">{newer} Page {page} of {pages} {older}</nav>',
        "<h2>New message</h2>",
        message_form(request, errors, "New message"),
        f'<p class="soft"><a href="{here}/owner">For the owner</a></p>',
    ]
    return PAGE.format(title="Message board", style=STYLE, content="\n".join(content))


def by_parent(messages):
    """Return the numbers of the answers by the number of what they answer."""
    found = {}
    for number, message in messages.items():
        # If a message was taken down, its answers begin threads of their own.
        parent = message["parent"] if message["parent"] in messages else ""
        found.setdefault(parent, []).append(number)
    return found


def below(first, answers):
    """Return a message and all below it, each with its depth, in the order of the conversation."""
    found, to_do = [], [(first, 0)]
    while to_do:
        number, depth = to_do.pop()
        found.append((number, depth))
        to_do += [(answer, depth + 1) for answer in reversed(answers.get(number, []))]
    return found


def thread(number, messages, count, here):
    answers = "no answer" if not count else f"{count} answer{'' if count == 1 else 's'}"
    return THREAD.format(number=number, here=here, answers=answers, **shown(messages[number]))


def shown(message):
    """The parts of a message, for HTML."""
    moment = time.gmtime(message["time"])
    return {
        "date": time.strftime("%Y-%m-%dT%H:%MZ", moment),
        "when": time.strftime("%d %B %Y, %H:%M", moment),
        **{key: escape(message[key]) for key in ("name", "subject", "text")},
    }


def show_message(request: Request, messages, errors):
    first = request.path_info.removeprefix("/")
    here = escape(request.script_name)
    content = [f'<nav class="row above" aria-label="Board"><a href="{here}">All threads</a>']
    parent = messages.get(messages[first]["parent"])
    if parent:
        above = f"{here}/{messages[first]['parent']}"
        content.append(f'<a href="{above}">In answer to {escape(parent["name"])}</a>')
    content += ["</nav>", note(request), summary(errors)]
    for number, depth in below(first, by_parent(messages)):
        label = f'aria-label="Answer {escape(messages[number]["name"])}"'
        more = f'<p><a href="{here}/{number}" {label}>Answer</a></p>' if depth else ""
        parts = shown(messages[number])
        content.append(SHOWN.format(number=number, depth=min(depth, 3), more=more, **parts))
    content += ["<h2>Answer</h2>", message_form(request, errors, "Answer", messages[first])]
    title = escape(messages[first]["subject"])
    return PAGE.format(title=title, style=STYLE, content="\n".join(content))


def note(request: Request):
    message = request.session.flash("message")
    return f'<p class="note" role="status">{escape(message)}</p>' if message else ""


def message_form(request: Request, errors, label, answered=None):
    subject = f"Re: {answered['subject'].removeprefix('Re: ')}"[:100] if answered else None
    parts = [
        fields.text(errors, "name", request.session.get("name"), autocomplete="name"),
        fields.text(errors, "subject", subject),
        fields.textarea(errors, "text", rows=6),
    ]
    rows = "\n".join(f"<div>{part}</div>" for part in parts)
    trap = fields.text(errors, "homepage", autocomplete="off", tabindex=-1)
    button = fields.button(errors, label="Send")
    form = fields.form(errors, rows, f"<div hidden>{trap}</div>", button, novalidate=True)
    return f'<section class="card" aria-label="{label}">{form}</section>'


def summary(errors):
    """The list of what is wrong with a form, with links to the fields."""
    items = "".join(
        f'<li><a href="#field-{name}">{escape(errors.declared[name].label)}</a>: {escape(said)}</li>'
        for name, said in errors.items()
    )
    if not items:
        return ""
    return f'<div class="errors" role="alert"><h2>Please correct this:</h2><ul>{items}</ul></div>'


# --- the owner -----------------------------------------------------------------------------------


def owner(request: Request):
    if request.session.get("board-owner"):
        return decide(request) if request.method == "POST" else show_waiting(request)
    if not OWNER.exists():
        return owner_page("<p>There is no password yet: <code>python3 board.py password</code></p>")
    values, errors = fields.check(request, PASSWORD)
    if errors.sent and not errors and not is_password(request, values["password"]):
        errors["password"] = "This is not the password."  # noqa: S105 -- a message
    if errors:
        page = owner_page(log_in_form(errors))
        return Response.html(page, 422) if errors.sent else page
    request.session.rotate()  # whoever knew the id before knows it no more
    request.session["board-owner"] = True
    return Response.redirect(request.url(base=False, query=False))


def owner_page(content):
    return PAGE.format(title="Message board: for the owner", style=STYLE, content=content)


def log_in_form(errors):
    form = fields.form(
        errors,
        f"<div>{fields.password(errors, 'password', autocomplete='current-password')}</div>",
        fields.button(errors, label="Log in"),
        novalidate=True,
    )
    return f'{summary(errors)}<section class="card" aria-label="Log in">{form}</section>'


def show_waiting(request: Request):
    waiting, published = read_all(".waiting"), read_all(".txt")
    last = {number: published[number] for number in list(published)[:-51:-1]}
    approve, drop = ("approve", "Show", ""), ("drop", "Delete", "quiet")
    take_down = ("take-down", "Take down", "quiet")
    content = [
        f"<h2>Waiting: {len(waiting)}</h2>",
        *(with_buttons(*each, approve, drop) for each in waiting.items()),
        f"<h2>Shown: the last {len(last)}</h2>",
        *(with_buttons(*each, take_down) for each in last.items()),
        DROP_ALL if waiting else "",
        LOG_OUT.format(here=escape(request.script_name)),
    ]
    return owner_page(fields.form(request, *content))


def with_buttons(number, message, *wanted):
    parts = shown(message)
    made = (
        BUTTON.format(do=do, number=number, label=label, kind=kind, name=parts["name"])
        for do, label, kind in wanted
    )
    more = f'<p class="row">{" ".join(made)}</p>'
    return SHOWN.format(number=number, depth=0, more=more, **parts)


def decide(request: Request):
    request.session.check_csrf(request.form.get("csrf"))
    form = request.form
    if "log-out" in form:
        request.session.destroy()
        return Response.redirect(request.script_name)
    if form.get("approve") in read_all(".waiting"):
        move(form["approve"], ".waiting", ".txt")
    elif form.get("take-down") in read_all(".txt"):
        move(form["take-down"], ".txt", ".waiting")
    elif "drop-all" in form:
        for path in DIRECTORY.glob("*.waiting"):
            path.unlink(missing_ok=True)
    elif form.get("drop") in read_all(".waiting"):
        (DIRECTORY / f"{form['drop']}.waiting").unlink(missing_ok=True)
    return Response.redirect(request.url(base=False, query=False))


def move(number, before, after):
    """Rename a message, which is done at once or not at all."""
    try:
        (DIRECTORY / f"{number}{before}").rename(DIRECTORY / f"{number}{after}")
    except FileNotFoundError:  # the same button was pressed in another window
        return


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
        run(board, sessions=FileStore("data/sessions"), limits=Limits(body=100_000))
