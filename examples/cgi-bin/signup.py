#!/usr/bin/env python3
"""Sign-up: eight fields that are declared once, checked, and shown again with their errors."""

import os
from datetime import date

from cgikit import FileStore, Request, Response, append_line, escape, fields, run

FILE = "data/signups.tsv"

MEALS = {"": "Please choose", "With meat": ["Goulash", "Schnitzel"], "Without": ["Dumplings"]}

SIGN_UP = [
    fields.declare("name", label="Name", required=True, max=60),
    fields.declare("email", "email", label="E-mail", required=True),
    fields.declare("password", "password", label="Password", required=True, min=12, max=200),
    fields.declare("born", date, label="Date of birth", min=date(1900, 1, 1)),
    fields.declare("people", int, label="How many people?", required=True, min=1, max=6),
    fields.declare("meal", label="Meal", required=True, choices=MEALS),
    fields.declare("days", label="Days", choices={"fri": "Friday", "sat": "Saturday"}, multiple=True),
    fields.declare("terms", bool, label="I have read the terms", required=True),
]  # fmt: skip

PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Sign up</title>
<style>
  :root {{ color-scheme: light dark; background: Canvas }}
  body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 34rem; margin: 2rem auto; padding: 0 1rem }}
  form > div {{ margin: 1rem 0 }}
  label, .field-hint, .field-error {{ display: block }}
  input, select, button {{ font: inherit; padding: .4rem .5rem; box-sizing: border-box; width: 100% }}
  [type=checkbox] {{ width: auto; margin: 0 .5rem 0 0 }}
  [type=checkbox] + label {{ display: inline }}
  fieldset {{ border: 1px solid #8886; border-radius: .5rem }}
  .field-hint {{ font-size: .9rem }}
  .field-error {{ color: light-dark(#b00020, #ffb4ab); font-weight: 600 }}
  [aria-invalid=true] {{ outline: 2px solid light-dark(#b00020, #ffb4ab) }}
</style>
<main>
<h1>Sign up</h1>
{content}
</main>
"""


def sign_up(request: Request):
    values, errors = fields.check(request, SIGN_UP)
    if not errors and values["name"].lower() == "admin":
        errors["name"] = "This name is taken."
    if errors:
        return page(form(errors)) if not errors.sent else Response.html(page(form(errors)), 422)
    # Of a password, a real site keeps a salted hash alone. This one keeps none.
    append_line(FILE, f"{values['name']}\t{values['email']}\t{values['people']}\t{values['meal']}")
    request.session.flash("name", values["name"])
    return Response.redirect(request.url(base=False, query=False))


def form(errors):
    """The form: empty at first, then with what was sent and what is wrong with it."""
    name = errors.request.session.flash("name")
    thanks = f"<p id='thanks'>Thank you, {escape(name)}. See you there!</p>" if name else ""
    rows = [
        fields.text(errors, "name", autocomplete="name"),
        fields.text(errors, "email", autocomplete="email"),
        fields.password(
            errors, "password", hint="At least 12 characters.", autocomplete="new-password"
        ),
        fields.text(errors, "born", autocomplete="bday"),
        fields.text(errors, "people", 1),
        fields.select(errors, "meal"),
        fields.checkboxes(errors, "days"),
        fields.checkbox(errors, "terms"),
        fields.button(errors, label="Sign up"),
    ]
    wrong = "<p><b>Please correct what is marked.</b></p>" if errors.sent else ""
    return (
        thanks
        + wrong
        + fields.form(errors, *(f"<div>{row}</div>" for row in rows), novalidate=True)
    )


def page(content):
    return PAGE.format(content=content)


if __name__ == "__main__":
    os.umask(0o077)  # names and addresses are nobody else's
    run(sign_up, sessions=FileStore("data/sessions"))
