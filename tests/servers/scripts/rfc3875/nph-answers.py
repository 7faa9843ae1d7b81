#!/usr/bin/env python3
"""A non-parsed-header script by cgikit: the same handler, and the name makes the difference."""

from cgikit import Request, Response, run


def handler(request: Request) -> Response:
    return Response("<p>all by itself</p>\n", 200, {"X-Name": "value"})


if __name__ == "__main__":
    run(handler)
