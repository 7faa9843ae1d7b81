#!/usr/bin/env python3
"""Server push; each picture replaces the one before it."""

import time

from cgikit import Request, Response, run

PICTURE = """<svg xmlns="http://www.w3.org/2000/svg" width="300" height="200">
  <rect width="300" height="200" fill="navy"/>
  <text x="150" y="125" font-size="90" text-anchor="middle" fill="white">{text}</text>
</svg>"""


def push(request: Request):
    start = request.query.getint("from", default=5, min=1, max=9)
    delay = request.query.getint("delay", default=1, min=0, max=5)
    return Response.push(pictures(start, delay))


def pictures(start, delay):
    for number in range(start, -1, -1):
        yield Response(PICTURE.format(text=number or "Go!"), content_type="image/svg+xml")
        if number:
            time.sleep(delay)


if __name__ == "__main__":
    run(push)
