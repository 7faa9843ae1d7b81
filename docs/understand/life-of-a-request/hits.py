#!/usr/bin/env python3
"""Counts visitors and loses none."""

from cgikit import Counter, Request, run


def hits(request: Request) -> str:
    """Answer with the number of this visitor."""
    digits = request.query.getint("digits", default=6, min=1, max=12)
    count = Counter("count.dat").increment()
    return f"<p>You are visitor <b>{count:0{digits}d}</b></p>"


if __name__ == "__main__":
    run(hits)
