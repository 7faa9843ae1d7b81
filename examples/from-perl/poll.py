#!/usr/bin/env python3
"""A poll; who has voted gets a cookie and sees the result."""

from cgikit import Counters, Request, Response, escape, fields, run

VOTES = "data/votes.json"
QUESTION = "Which language do you write most of your scripts in?"
CHOICES = ["Perl", "Python", "Ruby", "C & C++", "The shell"]

PAGE = """<!DOCTYPE html>
<html lang="en"><meta name="viewport" content="width=device-width"><title>Poll</title>
<style>label {{ display: block }}</style>
<main><h1>{question}</h1>
{content}
</main>"""
TABLE = "<table><tr><th>Choice</th><th>Votes</th><th>Share</th></tr>\n{rows}</table>\n{thanks}"
ROW = "<tr><td>{choice}</td><td>{votes}</td><td>{share}</td></tr>\n"


def poll(request: Request):
    voted = "voted" in request.cookies
    if request.method == "POST" and "choice" in request.form and not voted:
        Counters(VOTES)[request.form.getchoice("choice", CHOICES)].increment()
        answer = Response.redirect(request.url(base=False, query=False))
        answer.set_cookie("voted", "1", expires="+30d")
        return answer
    return PAGE.format(question=escape(QUESTION), content=result() if voted else ballot(request))


def ballot(request: Request):
    return fields.form(
        request,
        fields.radios(request, "choice", CHOICES, aria_label="Your choice"),
        fields.button(request, label="Vote"),
    )


def result():
    votes = Counters(VOTES).all()
    total = sum(votes.values())
    rows = ""
    for choice in CHOICES:
        count = votes.get(choice, 0)
        share = f"{100 * count / total:.0f} %" if total else "-"
        rows += ROW.format(choice=escape(choice), votes=count, share=share)
    return TABLE.format(rows=rows, thanks=f"<p>{total} votes. Thank you for yours.</p>")


if __name__ == "__main__":
    run(poll)
