#!/usr/bin/env python3
"""A visitor counter; a visitor counts once an hour."""

from cgikit import Counter, Request, Response, run

PAGE = """<!DOCTYPE html>
<html lang="en"><meta name="viewport" content="width=device-width"><title>Visitors</title>
<main><h1>You are visitor number {count:0{digits}d}</h1><p>{greeting}</p></main>"""


def visitors(request: Request):
    digits = request.query.getint("digits", default=6, min=1, max=12)
    seen = "visited" in request.cookies
    counter = Counter("data/count.dat")
    count = counter.value if seen else counter.increment()
    greeting = "Welcome back." if seen else "Welcome."
    response = Response(PAGE.format(count=count, digits=digits, greeting=greeting))
    response.set_cookie("visited", "1", expires="+1h")
    response.cache_control = "no-store"
    return response


if __name__ == "__main__":
    run(visitors)
