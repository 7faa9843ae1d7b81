#!/usr/bin/env python3
"""The poll: votes in a JSON file that is read, changed and replaced under one lock."""

from cgikit import Request, Response, escape, run, update_json

FILE = "data/poll.json"
QUESTION = "Which way out of CGI's start-up cost do you remember?"
CHOICES = ["mod_perl", "FastCGI", "PHP", "Servlets", "None: I waited"]

PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Poll</title>
<style>
  :root {{ color-scheme: light dark; background: Canvas }}
  body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem }}
  dl {{ display: grid; grid-template-columns: max-content 1fr max-content; gap: .5rem 1rem }}
  dd {{ margin: 0 }}
  meter {{ width: 100% }}
  form, fieldset {{ display: grid; gap: .5rem; margin-top: 1rem }}
  button {{ justify-self: start }}
</style>
<main>
<h1>{question}</h1>
<dl>
{results}
</dl>
{form}
</main>
"""

RESULT = '<dt>{choice}</dt><dd><meter value="{votes}" max="{most}"></meter></dd><dd>{votes}</dd>'


def poll(request: Request):
    if request.method == "POST":
        choice = request.form.getchoice("choice", CHOICES)
        if "voted" not in request.cookies:  # a courtesy, not a safeguard: cookies can be deleted
            with update_json(FILE, default={}) as votes:
                votes[choice] = votes.get(choice, 0) + 1
        answer = Response.redirect(request.url(base=False, query=False))
        answer.set_cookie("voted", "1", max_age=30 * 24 * 3600)
        return answer
    with update_json(FILE, default={}) as votes:  # unchanged, so nothing is written
        counts = {choice: votes.get(choice, 0) for choice in CHOICES}
    most = max(*counts.values(), 1)
    return PAGE.format(
        question=escape(QUESTION),
        results="\n".join(
            RESULT.format(choice=escape(choice), votes=votes, most=most)
            for choice, votes in counts.items()
        ),
        form="<p>Thank you for your vote.</p>" if "voted" in request.cookies else form(request),
    )


def form(request: Request):
    options = "".join(
        f'<label><input type="radio" name="choice" value="{escape(choice)}" required>'
        f" {escape(choice)}</label>"
        for choice in CHOICES
    )
    action = escape(request.script_name)
    return (
        f'<form action="{action}" method="post">'
        f"<fieldset><legend>Your vote</legend>{options}</fieldset><button>Vote</button></form>"
    )


if __name__ == "__main__":
    run(poll)
