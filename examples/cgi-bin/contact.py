#!/usr/bin/env python3
"""The contact form: visitors write to the owner of the site, and to nobody else.

The classic: FormMail (Matt's Script Archive, 1995) sent what a form held to the address that was in it.

Its holes: Anybody could send mail to anybody through it; the check of the Referer against that let an
empty or a forged one pass (CVE-2002-2109); a line end in a field began a header.

This one: The form has a topic, and the script knows who it is for. Line ends in headers are refused. No
copy goes to an address that a visitor gives, and everybody can send five messages an hour.
"""

import os
import time

from cgikit import ExpiringCounters, FileStore, Limits, Request, Response, escape, fields, run
from cgikit.errors import FormExpired

RECIPIENTS = {  # what a visitor can choose, and who gets it
    "A question": "hello@example.org",
    "Something does not work": "webmaster@example.org",
    "Something else": "hello@example.org",
}
FROM = "www@example.org"  # an address of your own domain: never the visitor's
SENDMAIL = ""  # such as "/usr/sbin/sendmail"; while it is empty, mails are kept in MAILBOX
MAILBOX = "data/contact-mail"  # a Maildir
SENT = ExpiringCounters("data/contact-sent", seconds=3600)
MOST_EACH = 5  # mails in an hour, from one network
MOST_ALL = 100
MOST_LINKS = 2
LEAST_SECONDS = 3  # nobody reads the form and fills it in faster

FORM = [
    fields.declare("topic", label="It is about", required=True, choices=["", *RECIPIENTS]),
    fields.declare("name", label="Your name", required=True, max=60),
    fields.declare("email", "email", label="Your e-mail address", required=True),
    fields.declare("message", "text", label="Your message", required=True, max=5000),
    fields.declare("website", label="Leave this empty", max=200),
]

PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Contact</title>
<style>{style}</style>
<main>
<h1>Write to us</h1>
<p class="lead">We answer by e-mail.</p>
{content}
</main>
"""


def contact(request: Request):
    status = 422
    try:
        values, errors = fields.check(request, FORM)
    except FormExpired:  # the session has ended: the letter is shown again, with a new token
        status = 403
        values, errors = fields.check(request, FORM, csrf=False)
        errors["message"] = "This page was open for too long. Please send the form again."
    letter = [values[field] for field in ("topic", "email", "message")]
    if errors or values["website"]:  # which only programs fill in
        pass
    elif request.session.get("contact-sent") != letter:  # not the second click on the button
        status = refuse(request, values, errors) or send(values, errors)
        if not errors:
            request.session["contact-sent"] = letter
    if not errors:  # a program is thanked too: it is not told that it was found out
        request.session.pop("contact-begun", None)
        request.session.flash("contact", "Thank you. Your message is on its way.")
        return Response.redirect(request.url(base=False, query=False))
    request.session.setdefault("contact-begun", int(time.time()))
    message = request.session.flash("contact")
    note = f'<p class="note" role="status">{escape(message)}</p>' if message else ""
    page = PAGE.format(style=STYLE, content=note + form(errors))
    return Response.html(page, status) if errors.sent else page


def refuse(request: Request, values, errors):
    """Return the status if the message is not to be sent, else 0. What is wrong is in the errors."""
    if values["message"].count("://") > MOST_LINKS:
        errors["message"] = f"Please use no more than {MOST_LINKS} links."
        return 422
    now = time.time()  # it may be before the beginning, if the clock was set back meanwhile
    if 0 <= now - request.session.get("contact-begun", now) < LEAST_SECONDS:
        errors["message"] = f"That was quick. Please wait {LEAST_SECONDS} seconds, and send again."
        return 422
    mine = SENT[network(request.remote_addr)]
    everybody = SENT["*"]
    for counter, most in ((mine, MOST_EACH), (everybody, MOST_ALL)):
        if counter.increment() > most:
            minutes = -(-counter.left // 60)
            errors["message"] = f"Too many messages in this hour. Try again in {minutes} minutes."
            return 429
    return 0


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


def form(errors):
    rows = [
        fields.select(
            errors, "topic", {"": "Please choose", **{each: each for each in RECIPIENTS}}
        ),
        fields.text(errors, "name", autocomplete="name"),
        fields.text(errors, "email", autocomplete="email"),
        fields.textarea(errors, "message", rows=8),
    ]
    trap = fields.text(errors, "website", autocomplete="off", tabindex=-1)
    filled = fields.form(
        errors,
        *(f"<div>{row}</div>" for row in rows),
        f"<div hidden>{trap}</div>",
        fields.button(errors, label="Send"),
        novalidate=True,
    )
    return f'{summary(errors)}<section class="card" aria-label="Message">{filled}</section>'


def summary(errors):
    """The list of what is wrong with a form, with links to the fields."""
    items = "".join(
        f'<li><a href="#field-{name}">{escape(errors.declared[name].label)}</a>: {escape(said)}</li>'
        for name, said in errors.items()
    )
    if not items:
        return ""
    return f'<div class="errors" role="alert"><h2>Please correct this:</h2><ul>{items}</ul></div>'


# --- the mail ------------------------------------------------------------------------------------


def send(values, errors):
    """Send or keep the mail. Return the status: 503 if that failed, and the log says why; 422 if the
    address would be another one in the mail.
    """
    import subprocess
    import sys

    try:
        mail = mail_of(values)
        raw = bytes(mail)
        if mail["Reply-To"] != values["email"]:  # =?utf-8?q?…?= is decoded there
            raise ValueError("the mail has another address than the form")
    except ValueError:
        errors["email"] = "We cannot write to this address. Please give another one."
        return 422
    try:
        if SENDMAIL:
            command = [SENDMAIL, "-oi", "-f", FROM, RECIPIENTS[values["topic"]]]
            subprocess.run(command, input=raw, check=True, timeout=30)
        else:
            keep(mail)
    except (OSError, subprocess.SubprocessError) as error:
        print(f"contact.py: the mail was not sent: {error}", file=sys.stderr)
        errors["message"] = "Your message could not be sent. Please try again in some minutes."
        return 503
    return 303


def mail_of(values):
    from email.message import EmailMessage
    from email.utils import formatdate, make_msgid

    mail = EmailMessage()
    mail["From"] = FROM
    mail["To"] = RECIPIENTS[values["topic"]]
    mail["Reply-To"] = values["email"]
    mail["Subject"] = f"{values['topic']}: {values['name']}"
    mail["Date"] = formatdate()
    mail["Message-ID"] = make_msgid(domain=FROM.partition("@")[2])
    mail.set_content(f"{values['name']} <{values['email']}> writes:\n\n{values['message']}\n")
    return mail


def keep(mail):
    """Put the mail into a Maildir: each is a file of its own, which is there whole or not at all."""
    from mailbox import Maildir

    Maildir(MAILBOX).add(mail)


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
    os.umask(0o077)  # letters and addresses are nobody else's
    # 5000 characters may be 60,000 bytes: an emoji is sent as %F0%9F%98%80.
    run(contact, sessions=FileStore("data/sessions"), limits=Limits(body=100_000))
