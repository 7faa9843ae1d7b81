#!/usr/bin/env python3
"""Asks for a name, and greets."""

from cgikit import Request, escape, run

FORM = """<!DOCTYPE html>
<html lang="en"><title>Hello</title>
<form method="post">
  <label>Your name <input name="name" required></label>
  <button>Say hello</button>
</form>"""


def form(request: Request) -> str:
    if request.method == "POST":
        return f"<h1>Hello, {escape(request.form['name'])}!</h1>"
    return FORM


if __name__ == "__main__":
    run(form)
