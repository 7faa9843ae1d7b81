#!/usr/bin/env python3
"""Sends a form by mail, to addresses that are listed here and to no others."""

import subprocess
from email.message import EmailMessage

from cgikit import Limits, Request, Response, fields, run

SENDMAIL = "/usr/sbin/sendmail"
FROM = "www@example.org"
TO = {"sales": "sales@example.org", "support": "help@example.org"}
FORM = [
    fields.declare("to", label="To", required=True, choices=list(TO)),
    fields.declare("name", label="Your name", required=True),
    fields.declare("email", "email", label="Your address", required=True),
    fields.declare("subject", label="Subject"),
    fields.declare("topics", label="Topics", choices=["Perl", "Python", "The web"], multiple=True),
    fields.declare("message", "text", label="Message", required=True),
    fields.declare("copy", bool, label="Send me a copy"),
]

PAGE = """<!DOCTYPE html>
<html lang="en"><meta name="viewport" content="width=device-width"><title>Write to us</title>
<style>label, textarea {{ display: block; margin-top: .5rem }}
  [type=checkbox] + label {{ display: inline }}</style>
<main><h1>Write to us</h1>
<p>{thanks}</p>
{form}
</main>"""


def formmail(request: Request):
    values, errors = fields.check(request, FORM)
    if request.method == "POST" and not errors:
        post(**values)
        return Response.redirect(request.url(base=False, query={"sent": 1}))
    form = fields.form(
        errors,
        fields.select(errors, "to"),
        fields.text(errors, "name", autocomplete="name"),
        fields.text(errors, "email", autocomplete="email"),
        fields.text(errors, "subject"),
        fields.checkboxes(errors, "topics"),
        fields.textarea(errors, "message", rows=8),
        fields.checkbox(errors, "copy"),
        fields.button(errors, label="Send"),
    )
    thanks = "Thank you. Your message is on its way." if "sent" in request.query else ""
    return PAGE.format(thanks=thanks, form=form)


def post(to, name, email, subject, topics, message, copy):
    mail = EmailMessage()
    mail["From"] = FROM
    mail["To"] = TO[to]
    if copy:
        mail["Cc"] = email
    mail["Reply-To"] = email
    mail["Subject"] = subject or "No subject"
    mail.set_content(f"Name: {name}\nTopics: {', '.join(topics) or '-'}\n\n{message}\n")
    subprocess.run([SENDMAIL, "-t", "-oi"], input=bytes(mail), check=True)


if __name__ == "__main__":
    run(formmail, limits=Limits(body=50_000))
