#!/usr/bin/env python3
"""Redirects: redirect.py?to=hello.py sends the browser on, but never to another site."""

from cgikit import HTTPError, Request, Response, escape, run

PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Redirect</title>
<style>
  :root {{ color-scheme: light dark; background: Canvas }}
  body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem }}
</style>
<main>
<h1>Redirect</h1>
<ul>
  <li><a href="{here}?to=hello.py%3Fname%3DAda">to hello.py</a>
  <li><a href="{here}?to=https://example.org/">to another site: refused</a>
</ul>
<form action="{here}" method="post"><button>POST: answered with 303</button></form>
</main>
"""


def redirect(request: Request):
    if request.method == "POST":
        return Response.redirect("hello.py?name=poster")
    target = request.query.get("to")
    if target is None:
        return PAGE.format(here=escape(request.script_name))
    try:
        return Response.redirect(target, local=True)  # it comes from outside: this site only
    except ValueError as error:
        raise HTTPError(400, str(error)) from None


if __name__ == "__main__":
    run(redirect)
