#!/usr/bin/env python3
"""Preferences in cookies: a colour and a greeting that the browser remembers."""

from cgikit import Request, Response, escape, run

COLOURS = {"paper": "#fdf6e3", "sky": "#dbeafe", "mint": "#d1fae5", "rose": "#ffe4e6"}

PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Preferences</title>
<style>
  body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem;
         background: {background}; color: #1e293b }}
  form {{ display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center }}
</style>
<main>
<h1>{greeting}</h1>
<form action="{action}" method="post">
  <label>Greeting <input name="greeting" value="{greeting}" maxlength="60"></label>
  <label>Colour <select name="colour">{options}</select></label>
  <button name="do" value="save">Save</button>
  <button name="do" value="forget">Forget</button>
</form>
</main>
"""


def preferences(request: Request):
    if request.method == "POST":
        return save(request)
    greeting = request.cookies.get("greeting", "Hello!")
    colour = request.cookies.get("colour")
    options = "".join(
        f"<option{' selected' if name == colour else ''}>{name}</option>" for name in COLOURS
    )
    return PAGE.format(
        action=escape(request.script_name),
        greeting=escape(greeting),
        background=COLOURS.get(colour, "white"),
        options=options,
    )


def save(request: Request):
    """Set the cookies and go back to the page, so that a reload does not send the form again."""
    answer = Response.redirect(request.url(base=False, query=False))
    if request.form.getchoice("do", ["save", "forget"]) == "forget":
        answer.delete_cookie("greeting")
        answer.delete_cookie("colour")
    else:
        year = 365 * 24 * 3600
        answer.set_cookie("greeting", request.form.get("greeting", "")[:60], max_age=year)
        answer.set_cookie("colour", request.form.getchoice("colour", COLOURS), max_age=year)
    return answer


if __name__ == "__main__":
    run(preferences)
