#!/usr/bin/env python3
"""A page for members, with a session."""

import hashlib
import hmac

from cgikit import (
    ExpiringCounters,
    FileStore,
    HTTPError,
    Request,
    Response,
    escape,
    fields,
    read_lines,
    run,
)

USERS = "data/users.txt"  # a line for each: name, salt, SHA-256 of salt and password

PAGE = """<!DOCTYPE html>
<html lang="en"><meta name="viewport" content="width=device-width"><title>{title}</title>
<style>label, textarea {{ display: block; margin-top: .5rem }}</style>
<main><h1>{heading}</h1>
<p>{message}</p>
{form}
</main>"""


def members(request: Request):
    session = request.session
    message = ""
    if request.method == "POST":
        session.check_csrf(request.form.get("csrf"))
        do = request.form.getchoice("do", ["Log in", "Log out"])
        name = request.form.get("name", "")
        if do == "Log out":
            session.destroy()
        elif known(name, request.form.get("password", "")):
            session.user = name  # under a new id
            session.pop("visits", None)
        else:
            message = "The name or the password is wrong."
        if not message:
            return Response.redirect(request.url(base=False, query=False))
    if session.user:
        session["visits"] = session.get("visits", 0) + 1
        return PAGE.format(
            title="Members",
            heading=f"Hello, {escape(session.user)}",
            message=f"You have seen this page {session['visits']} times.",
            form=fields.form(request, button(request, "Log out")),
        )
    form = fields.form(
        request,
        fields.text(request, "name", label="Name", autocomplete="username"),
        fields.password(request, "password", label="Password", autocomplete="current-password"),
        button(request, "Log in"),
    )
    return PAGE.format(title="Log in", heading="Log in", message=message, form=form)


def button(request: Request, label):
    return fields.button(request, "do", value=label, label=label)


def known(name, password):
    if ExpiringCounters("data/guesses", seconds=900)[name].increment() > 20:
        raise HTTPError(429, "Too many attempts. Try again in a quarter of an hour.")
    for line in read_lines(USERS):
        user, salt, expected = line.split(":")
        if user == name:
            found = hashlib.sha256((salt + password).encode()).hexdigest()
            return hmac.compare_digest(found, expected)
    return False


if __name__ == "__main__":
    run(members, sessions=FileStore("data/sessions", idle=1800))
