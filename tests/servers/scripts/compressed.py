#!/usr/bin/env python3
"""A page that is compressed for clients that take it; `?stream` sends it in pieces."""

from cgikit import Request, Response, run

LINE = "<p>grün</p>\n"


def page(request: Request) -> Response:
    response = Response.stream(LINE for _ in range(200)) if request.query else Response(LINE * 200)
    response.compressed = True
    return response


if __name__ == "__main__":
    run(page)
