#!/usr/bin/env python3
"""The visitor counter: one number in a file, which no crash can lose or damage."""

from cgikit import Counter, Request, run

PAGE = """<!DOCTYPE html><html lang="en"><meta name="viewport" content="width=device-width">
<title>Visitors</title><main><h1>You are visitor number <b>{count:0{digits}d}</b></h1></main>"""


def hits(request: Request):
    digits = request.query.getint("digits", default=6, min=1, max=12)
    count = Counter("data/count.dat").increment()
    return PAGE.format(count=count, digits=digits)


if __name__ == "__main__":
    run(hits)
