#!/usr/bin/env python3
"""Log-in with a session: rotated id, flash message, CSRF token, log-out (try ada / lovelace)."""

import hashlib
import hmac
import time

from cgikit import FileStore, Request, Response, escape, run

# A real site keeps these in a file of its own: salt and scrypt hash, never the password.
USERS = {
    "ada": (
        bytes.fromhex("8d6b9e5a1c0f47d2a3b4c5d6e7f80912"),
        bytes.fromhex(
            "98513ba156947d3faf027a3dc38ea70367efa49d0a150138ccbb9a9ab0dee13b"
            "6e254f238ff89914e9cc5d18a5436729c5c5b6e5f306729e659099efbe94a463"
        ),
    )
}

PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Log-in</title>
<style>
  :root {{ color-scheme: light dark; background: Canvas }}
  body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 30rem; margin: 2rem auto; padding: 0 1rem }}
  form {{ display: grid; gap: .5rem; padding: 1rem; border: 1px solid #8886; border-radius: .5rem }}
  label {{ display: grid }}
  input {{ font: inherit; padding: .3rem .5rem }}
  #flash {{ padding: .5rem 1rem; border-radius: .5rem; background: #2563eb22 }}
</style>
<main>
<h1>{title}</h1>
{flash}
<form action="{action}" method="post">
  <input type="hidden" name="csrf" value="{token}">
  {fields}
</form>
</main>
"""

LOG_IN = """<p>The only user is ada, with the password lovelace.</p>
  <label>Name <input name="name" autocomplete="username" required></label>
  <label>Password
    <input name="password" type="password" autocomplete="current-password" required></label>
  <button name="do" value="login">Log in</button>"""

LOG_OUT = """<p>Logged in for {seconds} seconds; {views} pages seen.</p>
  <button name="do" value="look">Look again</button>
  <button name="do" value="logout">Log out</button>"""


def known(name, password):
    salt, expected = USERS.get(name, (b"nobody", b""))
    # Hash for unknown names too, so that the time taken does not reveal which names exist.
    digest = hashlib.scrypt(password.encode(), salt=salt, n=2**14, r=8, p=1)
    return hmac.compare_digest(digest, expected)


def login(request: Request):
    session = request.session
    if request.method == "POST":
        session.check_csrf(request.form.get("csrf"))
        act(request, session)
        return Response.redirect(request.url(base=False, query=False))
    message = session.flash("message")
    user = session.get("user")
    if user:
        session["views"] = session.get("views", 0) + 1
        fields = LOG_OUT.format(seconds=int(time.time()) - session["since"], views=session["views"])
    else:
        fields = LOG_IN
    return PAGE.format(
        title=f"Hello, {escape(user)}" if user else "Log in",
        flash=f'<p id="flash">{escape(message)}</p>' if message else "",
        action=escape(request.script_name),
        token=escape(session.csrf_token()),
        fields=fields,
    )


def act(request: Request, session):
    """Do what the button says."""
    do = request.form.getchoice("do", ["login", "look", "logout"])
    if do == "logout":
        session.destroy()
        session.flash("message", "You are logged out.")
    elif do == "login":
        name = request.form.get("name", "")
        if known(name, request.form.get("password", "")):
            session.rotate()  # whoever knew the id before knows it no more
            session["user"] = name
            session["since"] = int(time.time())
            session.flash("message", "You are logged in.")
        else:
            session.flash("message", "Name or password is wrong.")


if __name__ == "__main__":
    run(login, sessions=FileStore("data/sessions"))
