#!/usr/bin/env python3
"""Sends a form by mail, to addresses that are listed here and to no others."""

import re
import subprocess
from email.message import EmailMessage

from cgikit import Limits, Response, escape, fields, run

SENDMAIL = "/usr/sbin/sendmail"
FROM = "www@example.org"
TO = {"sales": "sales@example.org", "support": "help@example.org"}
TOPICS = ["Perl", "Python", "The web"]

PAGE = """<!DOCTYPE html>
<html lang="en"><meta name="viewport" content="width=device-width"><title>Write to us</title>
<style>label, textarea {{ display: block; margin-top: .5rem }}
  [type=checkbox] + label {{ display: inline }}</style>
<main><h1>Write to us</h1>
{messages}
{form}
</main>"""


def formmail(request):
    messages = ["Thank you. Your message is on its way."] if "sent" in request.query else []
    if request.method == "POST":
        messages = check(request.form)
        if not messages:
            post(request.form)
            return Response.redirect(request.url(base=False, query={"sent": 1}))
    form = fields.form(
        request,
        fields.select(request, "to", list(TO), label="To"),
        fields.text(request, "name", label="Your name", autocomplete="name"),
        fields.text(request, "email", label="Your address", type="email", autocomplete="email"),
        fields.text(request, "subject", label="Subject"),
        fields.checkboxes(request, "topics", TOPICS, label="Topics"),
        fields.textarea(request, "message", label="Message", rows=8),
        fields.checkbox(request, "copy", value="yes", label="Send me a copy"),
        fields.button(request, label="Send"),
    )
    shown = "".join(f"<p>{escape(message)}</p>" for message in messages)
    return PAGE.format(messages=shown, form=form)


def check(form):
    found = []
    if form.get("to") not in TO:
        found.append("There is no such recipient.")
    if not form.get("name", "").strip():
        found.append("Please enter your name.")
    if not re.fullmatch(r"[\w.+-]+@[\w-]+(\.[\w-]+)+", form.get("email", ""), re.A):
        found.append("Please enter your e-mail address.")
    if not form.get("message", "").strip():
        found.append("Please enter a message.")
    return found


def post(form):
    mail = EmailMessage()
    mail["From"] = FROM
    mail["To"] = TO[form["to"]]
    if "copy" in form:
        mail["Cc"] = form["email"]
    mail["Reply-To"] = form["email"]
    # A line end in a header field raises ValueError: nobody adds a field of his own.
    mail["Subject"] = " ".join(form.get("subject", "").split()) or "No subject"
    name, topics = " ".join(form["name"].split()), ", ".join(form.getlist("topics")) or "-"
    mail.set_content(f"Name: {name}\nTopics: {topics}\n\n{form['message']}\n")
    subprocess.run([SENDMAIL, "-t", "-oi"], input=bytes(mail), check=True)


if __name__ == "__main__":
    run(formmail, limits=Limits(body=50_000))
