#!/usr/bin/env python3
"""A message board; each message is a file that names the one it answers."""

import time
from pathlib import Path

from cgikit import Counter, Limits, Request, Response, atomic_write, escape, fields, run

DIRECTORY = Path("data/board")
FORM = [
    fields.declare("name", label="Name", required=True),
    fields.declare("subject", label="Subject", required=True),
    fields.declare("text", "text", label="Message", required=True),
]

PAGE = """<!DOCTYPE html>
<html lang="en"><meta name="viewport" content="width=device-width"><title>Board</title>
<style>label, textarea {{ display: block; margin-top: .5rem }}</style>
<main><h1>Board</h1>
{content}
{form}
</main>"""
MESSAGE = """<h2>{subject}</h2><p>by {name}, {when}</p>
{text}
<p><a href="{here}">All messages</a></p><h2>Answer</h2>"""


def board(request: Request):
    values, errors = fields.check(request, FORM)
    if request.method == "POST" and not errors:
        number = post(request.form.get("parent", ""), **values)
        answer = Response.redirect(request.url(base=False, query={"read": number}))
        answer.set_cookie("name", values["name"], expires="+1y")
        return answer
    messages = {path.stem: read(path) for path in DIRECTORY.glob("*.txt")}
    here = request.url(base=False, query=False)
    number = request.query.get("read") or request.params.get("parent", "")
    message = messages.get(number)
    form = fields.form(
        errors,
        fields.hidden(errors, "parent", number if message else ""),
        fields.text(errors, "name", request.cookies.get("name")),
        fields.text(errors, "subject", message and f"Re: {message['subject']}"),
        fields.textarea(errors, "text", rows=8),
        fields.button(errors, label="Post"),
    )
    content = thread(messages, "", here) + "<h2>New message</h2>"
    if message:
        content = show(message, here)
    return PAGE.format(content=content, form=form)


def show(message, here):
    when = time.strftime("%Y-%m-%d %H:%M", time.gmtime(int(message["time"])))
    text = "".join(f"<p>{escape(line)}</p>" for line in message["text"].splitlines() if line)
    subject, name = escape(message["subject"]), escape(message["name"])
    return MESSAGE.format(subject=subject, name=name, when=when, text=text, here=escape(here))


def thread(messages, parent, here):
    """Return the messages that answer one, and those that answer these, as HTML."""
    answers = sorted((n for n in messages if messages[n]["parent"] == parent), key=int)
    items = "".join(
        f'<li><a href="{escape(here)}?read={number}">{escape(messages[number]["subject"])}</a>'
        f" by {escape(messages[number]['name'])}{thread(messages, number, here)}</li>"
        for number in answers
    )
    return f"<ul>{items}</ul>" if items else ""


def read(path):
    head, _, text = path.read_text().partition("\n\n")
    return {**dict(line.split(": ", 1) for line in head.split("\n")), "text": text}


def post(parent, name, subject, text):
    """Keep a message; return its number."""
    number = Counter(DIRECTORY / "number").increment()
    if not (parent.isdigit() and (DIRECTORY / f"{parent}.txt").exists()):
        parent = ""
    head = {"parent": parent, "name": name, "subject": subject, "time": int(time.time())}
    lines = "".join(f"{key}: {value}\n" for key, value in head.items())
    atomic_write(DIRECTORY / f"{number}.txt", f"{lines}\n{text}")
    return number


if __name__ == "__main__":
    run(board, limits=Limits(body=50_000))
