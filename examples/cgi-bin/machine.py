#!/usr/bin/env python3
"""The machine: its load, memory and disk, and a log file that is followed as it grows.

The classic: Status scripts ran uptime, df and tail for everybody, with the name of the log in the URL.

Its holes: `log=../../etc/passwd` showed any file, and a semicolon in it ran any command. What visitors
had written into the log, such as a browser's name with a script in it, ran in the owner's browser.

This one: Only who has logged in sees it. It runs no command, and reads one log, which is named at its
top. The lines come as server-sent events, and are shown as text.
"""

import hashlib
import hmac
import json
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
    atomic_write,
    escape,
    fields,
    run,
)

LOG = Path("data/machine.log")  # for instance /var/log/apache2/error.log
DISKS = ["/"]
OWNER = Path("data/machine-owner.txt")  # made by: python3 machine.py password
GUESSES = ExpiringCounters("data/machine-guesses", seconds=600)
MOST_GUESSES = 5  # in ten minutes, from one network
LINES = 20  # the last ones, at first
MOST_CHARACTERS = 500  # of a line
SECONDS = 300  # then the stream ends, and the browser asks for another one
PAUSE = 1.0  # seconds between two looks at the log
LOOPBACK = False  # True: whoever sits at the machine needs no password. Not behind a proxy!

PASSWORD = [fields.declare("password", "password", label="Password", required=True, max=200)]

PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>{style}
#log {{ height: 20rem; white-space: pre-wrap; background: var(--tint); padding: .8rem 1rem;
  border-radius: .5rem }}
dl.card {{ display: grid; gap: .9rem }}
dt {{ display: flex; justify-content: space-between; gap: 1rem; font-weight: 600 }}
dd {{ margin: .2rem 0 0 }}
</style>
<main>
<h1>{title}</h1>
{content}
</main>
"""
LIVE = """<dl class="card">{values}</dl>
<h2>{log}</h2>
<pre id="log" tabindex="0" role="log" aria-label="Log" data-events="{here}/events">{lines}</pre>
<p class="soft" id="state">These are the last lines. With JavaScript, new ones appear by themselves.</p>
{log_out}
<script>
const log = document.getElementById("log"), state = document.getElementById("state")
const source = new EventSource(log.dataset.events + "?after={after}")
source.onopen = () => state.textContent = "New lines appear by themselves."
source.onerror = () => state.textContent = "The connection was lost; the browser tries again."
source.onmessage = event => {{
  const below = log.scrollTop + log.clientHeight > log.scrollHeight - 40
  log.append(event.data + "\\n")  // as text: visitors write into logs
  while (log.childNodes.length > 1000) log.firstChild.remove()
  if (below) log.scrollTop = log.scrollHeight
}}
source.addEventListener("values", event => {{
  for (const [name, [text, share]] of Object.entries(JSON.parse(event.data))) {{
    document.getElementById("text-" + name).textContent = text
    document.getElementById("share-" + name).value = share
  }}
}})
log.scrollTop = log.scrollHeight
</script>"""
VALUE = """<div><dt>{label} <span id="text-{name}">{text}</span></dt>
<dd><meter id="share-{name}" value="{share:.3f}" high="0.9" aria-label="{label}"></meter></dd></div>"""


def machine(request: Request):
    if request.path_info not in {"", "/", "/events"}:
        raise HTTPError(404, "There is no such page.")
    if request.path_info == "/events":
        if not may_see(request):
            raise HTTPError(403, "Please log in first.")
        return Response.events(events(position(request)))
    if not may_see(request):
        return log_in(request)
    if request.method == "POST":
        request.session.check_csrf(request.form.get("csrf"))
        request.session.destroy()
        return Response.redirect(request.script_name)
    return show(request)


def may_see(request: Request):
    return request.session.get("machine-owner") is True or (LOOPBACK and is_local(request))


def is_local(request: Request):
    """Whether the visitor sits at this machine, as far as a script can tell.

    A proxy on this machine makes all visitors local. Most of them add fields, but not all do; so
    this is asked only where LOOPBACK says that there is none. The name of the host must be that of
    the machine itself: a page of another site could have its own name lead here (DNS rebinding).
    """
    forwarded = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Via")
    host = request.headers.get("Host", "").rpartition(":")[0] or request.headers.get("Host", "")
    return (
        request.remote_addr in {"127.0.0.1", "::1"}
        and host in {"localhost", "127.0.0.1", "[::1]"}
        and not any(name in request.headers for name in forwarded)
    )


# --- the values ----------------------------------------------------------------------------------


def values():
    """Return what the system says of itself: for each value its label, text, and share from 0 to 1."""
    found = {}
    load = os.getloadavg()[0]
    processors = os.cpu_count() or 1
    found["load"] = ("Load", f"{load:.2f} on {processors} processors", load / processors)
    memory = of_proc("meminfo")
    total, free = (kib(memory.get(name, "")) for name in ("MemTotal", "MemAvailable"))
    if total:
        text = f"{gib(1024 * (total - free))} of {gib(1024 * total)}"
        found["memory"] = ("Memory", text, (total - free) / total)
    for number, path in enumerate(DISKS):
        disk = os.statvfs(path)
        size, left = disk.f_blocks * disk.f_frsize, disk.f_bavail * disk.f_frsize
        text = f"{gib(size - left)} of {gib(size)}"
        found[f"disk-{number}"] = (f"Disk {path}", text, (size - left) / max(size, 1))
    return found


def of_proc(name):
    """Return a file of /proc as a dict; an empty one where there is no /proc, as on BSD and macOS."""
    try:
        lines = Path("/proc", name).read_text(encoding="ascii").splitlines()
    except FileNotFoundError:
        return {}
    return dict(line.split(":", 1) for line in lines if ":" in line)


def kib(text):
    return int(text.split()[0]) if text.strip() else 0


def gib(size):
    return f"{size / 2**30:.1f} GiB"


def uptime():
    try:
        seconds = float(Path("/proc/uptime").read_text(encoding="ascii").split()[0])
    except FileNotFoundError:
        return ""
    days, rest = divmod(int(seconds), 86400)
    hours = f"{rest // 3600}:{rest // 60 % 60:02d}"
    return f"Up for {days} {'day' if days == 1 else 'days'}, {hours} hours."


# --- the log -------------------------------------------------------------------------------------


def read_log(after):
    """Return the complete lines of the log after a position, and the position after them.

    A position is "inode-offset". If the log is another file now, or is shorter, it begins anew.
    """
    inode, _, offset = after.partition("-")
    try:
        with LOG.open("rb") as file:
            known = os.fstat(file.fileno())
            start = int(offset or 0)
            if inode != str(known.st_ino) or start > known.st_size:
                start = 0
            file.seek(start)
            data = file.read(1 << 18)
    except OSError:  # there is none yet, or it is just being replaced
        return [], after
    whole = data[: data.rfind(b"\n") + 1] or (data if len(data) == 1 << 18 else b"")
    return list(map(line, whole.splitlines())), f"{known.st_ino}-{start + len(whole)}"


def line(raw):
    text = raw[: 4 * MOST_CHARACTERS].decode("utf-8", "replace")[:MOST_CHARACTERS]
    return "".join(char if char.isprintable() or char == "\t" else "\ufffd" for char in text)


def last_lines():
    """Return the last lines of the log, and the position after them."""
    try:
        known = LOG.stat()
    except OSError:
        return [], ""
    start = max(0, known.st_size - (1 << 16))  # of a log of gigabytes, only the end is read
    lines, after = read_log(f"{known.st_ino}-{start}")
    return lines[-LINES:], after


def position(request: Request):
    """Return where a stream begins: after the last event that the browser has seen."""
    after = request.last_event_id or request.query.get("after", "")
    inode, sign, offset = after.partition("-")
    if after and not (sign and all(n.isascii() and n.isdecimal() for n in (inode, offset))):
        raise HTTPError(400, "This is not a position in the log.")
    if len(after) > 40:
        raise HTTPError(400, "This is not a position in the log.")
    return after


def events(after):
    """Yield the new lines, and now and then the values, until the time is over."""
    end = time.monotonic() + SECONDS
    shown = 0.0
    while True:
        lines, after = read_log(after)
        yield from lines[:-1]
        if lines:  # the position is that after all of them
            yield {"data": lines[-1], "id": after}
        now = time.monotonic()
        if now >= shown + 5 or not shown:
            shown = now
            yield {"event": "values", "data": json.dumps(numbers())}
        if now + PAUSE >= end:
            return
        time.sleep(PAUSE)


def numbers():
    return {name: (text, round(share, 3)) for name, (_, text, share) in values().items()}


# --- the pages -----------------------------------------------------------------------------------


def show(request: Request):
    lines, after = last_lines()
    rows = (
        VALUE.format(name=name, label=escape(label), text=escape(text), share=min(share, 1))
        for name, (label, text, share) in values().items()
    )
    button = fields.button(request, label="Log out", **{"class": "quiet"})
    known = request.session.get("machine-owner")
    live = LIVE.format(
        values="\n".join(rows),
        log=escape(LOG.name),
        here=escape(request.script_name),
        lines=escape("".join(f"{each}\n" for each in lines)),
        after=after,
        log_out=fields.form(request, button, action=request.script_name) if known else "",
    )
    return page(f'<p class="lead">{uptime()}</p>{live}')


def page(content):
    answer = Response.html(PAGE.format(title="The machine", style=STYLE, content=content))
    answer.cache_control = "no-store"
    return answer


def log_in(request: Request):
    if not OWNER.exists():
        return page("<p>There is no password yet: <code>python3 machine.py password</code></p>")
    values, errors = fields.check(request, PASSWORD)
    if errors.sent and not errors and not is_password(request, values["password"]):
        errors["password"] = "This is not the password."  # noqa: S105 -- a message
    if errors:
        answer = page(log_in_form(errors))
        answer.status = 422 if errors.sent else 200
        return answer
    request.session.rotate()  # whoever knew the id before knows it no more
    request.session["machine-owner"] = True
    return Response.redirect(request.script_name)


def log_in_form(errors):
    form = fields.form(
        errors,
        f"<div>{fields.password(errors, 'password', autocomplete='current-password')}</div>",
        fields.button(errors, label="Log in"),
        novalidate=True,
    )
    return f'{summary(errors)}<section class="card" aria-label="Log in">{form}</section>'


def summary(errors):
    """The list of what is wrong with a form, with links to the fields."""
    items = "".join(
        f'<li><a href="#field-{name}">{escape(errors.declared[name].label)}</a>: {escape(said)}</li>'
        for name, said in errors.items()
    )
    if not items:
        return ""
    return f'<div class="errors" role="alert"><h2>Please correct this:</h2><ul>{items}</ul></div>'


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
        run(machine, sessions=FileStore("data/sessions"), limits=Limits(body=20_000))
