#!/usr/bin/env python3
"""The poll: one question, one vote for each browser, and the result in bars.

The classic: Poll scripts of the nineties read the file of votes, added one, and wrote the file again.

Its holes: Two voters at once lost a vote, and at worst all of them; a picture on another site voted for
whoever saw it; whoever reloaded the page voted again; no choice was checked.

This one: Votes are added under a lock, and the file is replaced as a whole. A vote needs the form of
this page and a choice that exists, and a browser has one. Who deletes its cookies can vote again, and
so can who comes back after two hours, when the session has ended.
"""

from cgikit import Counters, FileStore, Request, Response, escape, fields, run

VOTES = "data/votes.json"
QUESTION = "Which way out of CGI's start-up cost do you remember?"
CHOICES = ["mod_perl", "FastCGI", "PHP", "Servlets", "None: I waited"]
VOTE = [fields.declare("choice", label="Your vote", required=True, choices=CHOICES)]

PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Poll</title>
<style>{style}
.results {{ display: grid; gap: .9rem; margin: 0 }}
.results dt {{ display: flex; justify-content: space-between; gap: 1rem; font-weight: 600 }}
.results dd {{ margin: .2rem 0 0 }}
.bar {{ display: block; height: .8rem; border-radius: .4rem;
  background: var(--tint); overflow: hidden; border: 1px solid var(--line) }}
.bar i {{ display: block; height: 100%; background: var(--accent) }}
</style>
<main>
<h1>{question}</h1>
{content}
</main>
"""
RESULT = """<div><dt><span>{choice}</span> <span>{votes} ({share:.0f} %)</span></dt>
<dd><span class="bar"><i style="width: {share:.1f}%"></i></span></dd></div>"""


def poll(request: Request):
    values, errors = fields.check(request, VOTE)
    voted = request.session.get("voted") == QUESTION  # a new question can be voted on again
    if not errors:
        if not voted:
            Counters(VOTES)[values["choice"]].increment()
            request.session["voted"] = QUESTION
        return Response.redirect(request.url(base=False, query=False))
    content = result(voted) if voted or "result" in request.query else ballot(errors)
    page = PAGE.format(question=escape(QUESTION), style=STYLE, content=content)
    return Response.html(page, 422) if errors.sent else page


def ballot(errors):
    form = fields.form(
        errors,
        fields.radios(errors, "choice", CHOICES),
        fields.button(errors, label="Vote"),
        novalidate=True,
    )
    here = escape(errors.request.script_name)
    return (
        f'{summary(errors)}<section class="card" aria-label="Vote">{form}</section>\n'
        f'<p><a href="{here}?result">See the result</a></p>'
    )


def summary(errors):
    """The list of what is wrong with a form, with links to the fields."""
    items = "".join(
        f'<li><a href="#field-{name}">{escape(errors.declared[name].label)}</a>: {escape(said)}</li>'
        for name, said in errors.items()
    )
    if not items:
        return ""
    return f'<div class="errors" role="alert"><h2>Please correct this:</h2><ul>{items}</ul></div>'


def result(voted):
    votes = Counters(VOTES).all()
    counts = {choice: votes.get(choice, 0) for choice in CHOICES}
    total = sum(counts.values())
    rows = "\n".join(
        RESULT.format(choice=escape(choice), votes=count, share=100 * count / max(total, 1))
        for choice, count in counts.items()
    )
    thanks = '<p class="note" role="status">Thank you for your vote.</p>' if voted else ""
    votes_in_all = f"{total} vote{'' if total == 1 else 's'} in all"
    return f'{thanks}<dl class="card results">{rows}</dl><p class="soft">{votes_in_all}</p>'


# --- the style: examples/style.css, put here by `make gallery` ---
STYLE = """
:root {
  color-scheme: light dark;
  --page: light-dark(#f4f6f9, #12151b); --card: light-dark(#fff, #1b2029);
  --ink: light-dark(#1a202c, #e8ebf0); --soft: light-dark(#525d6e, #a8b2c1);
  --line: light-dark(#d9dfe8, #333b48); --edge: light-dark(#7b8698, #768194);
  --accent: light-dark(#1f4fd1, #8fb4ff); --on-accent: light-dark(#fff, #0c1526);
  --tint: light-dark(#e9effd, #202b42);
  --bad: light-dark(#b3141f, #ffb0a8); --bad-tint: light-dark(#fdecec, #3a1f21);
  background: var(--page); color: var(--ink);
  font: 1.0625rem/1.6 system-ui, sans-serif; overflow-wrap: anywhere;
}
* { box-sizing: border-box }
body { margin: 0 }
main { max-width: 44rem; margin: 0 auto; padding: 2rem 1rem 4rem }
.wide main { max-width: 68rem }
h1 { font-size: 1.9rem; line-height: 1.2; letter-spacing: -.02em; margin: 0 0 1.1rem }
h2 { font-size: 1.15rem; line-height: 1.3; margin: 2.2rem 0 .8rem }
p, ul, ol, dl { margin: 0 0 .9rem }
a { color: var(--accent); text-underline-offset: .18em }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px }
.lead, .soft, time { color: var(--soft) }
.lead { margin-top: -.6rem }
.soft, time, .field-hint { font-size: .9rem }
.card, .note, .errors {
  background: var(--card); border: 1px solid var(--line); border-radius: .75rem;
  padding: 1.1rem 1.25rem; margin: 0 0 1rem; box-shadow: 0 1px 2px #0000000d;
}
.card > :last-child, .note > :last-child, .errors > :last-child { margin-bottom: 0 }
.card h2, .card h3, .errors h2 { font-size: 1.05rem; margin: 0 0 .3rem }
.note { background: var(--tint); border-color: var(--accent) }
.errors { background: var(--bad-tint); border: 2px solid var(--bad) }
.errors a, .field-error { color: var(--bad); font-weight: 600 }
.text { white-space: pre-line }
.row { display: flex; flex-wrap: wrap; gap: .6rem 1rem; align-items: center }
.split { justify-content: space-between }
.row > h1, .row > h2, .row > h3 { margin: 0 }
.grid {
  display: grid; gap: 1rem;
  grid-template-columns: repeat(auto-fill, minmax(min(24rem, 100%), 1fr));
}
.grid .card { margin: 0 }
form { display: grid; gap: 1rem; margin: 0 }
form > .card, form > h2 { margin-bottom: 0 }
form > div, fieldset { display: grid; gap: .3rem }
form.row, form > .row { display: flex }
label, legend { font-weight: 600 }
fieldset { border: 1px solid var(--line); border-radius: .6rem; padding: .6rem 1rem 1rem; margin: 0 }
fieldset label { font-weight: 400 }
.field-hint { color: var(--soft) }
input, textarea, select, button { font: inherit; color: inherit }
input:not([type=radio], [type=checkbox], [type=hidden]), textarea, select {
  width: 100%; padding: .55rem .7rem; border: 1px solid var(--edge); border-radius: .5rem;
  background: var(--page);
}
input[type=radio], input[type=checkbox] { width: 1.15rem; height: 1.15rem; accent-color: var(--accent) }
input[type=radio], input[type=checkbox] { margin: 0 .35rem 0 0; vertical-align: -.15rem }
[aria-invalid=true] { outline: 2px solid var(--bad) }
button, .button {
  justify-self: start; padding: .6rem 1.2rem; border: 1px solid var(--accent); border-radius: .5rem;
  background: var(--accent); color: var(--on-accent); font-weight: 600; text-decoration: none;
  cursor: pointer;
}
button:hover, .button:hover { filter: brightness(1.1) }
.quiet { background: transparent; color: var(--accent) }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .5rem .75rem .5rem 0; border-bottom: 1px solid var(--line) }
td { vertical-align: top }
pre, code { font-family: ui-monospace, monospace; font-size: .9em }
pre { overflow: auto; margin: 0 }
img, svg { max-width: 100% }
meter, progress { width: 100%; height: 1rem; accent-color: var(--accent) }
[hidden] { display: none }
"""
# --- the end of the style ---

if __name__ == "__main__":
    run(poll, sessions=FileStore("data/sessions"))
