#!/usr/bin/env python3
"""The visitor counter: one number in a file, never lost, never torn."""

from cgikit import Counter, Response, run


def hits(request):
    digits = request.query.getint("digits", default=6, min=1, max=12)
    count = Counter("data/count.dat").increment()
    return Response.html(f"<p>You are visitor number <b>{count:0{digits}d}</b></p>")


if __name__ == "__main__":
    run(hits)
