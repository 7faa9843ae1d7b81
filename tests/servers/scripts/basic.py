#!/usr/bin/env python3
"""A page for one member, who logs in by a password that this script checks itself."""

from cgikit import Request, Response, escape, run
from cgikit.authorization import Unauthorized


def members(request: Request) -> Response:
    """Answer 401 to everybody else."""
    found = request.authorization
    if found is None or (found.username, found.password) != ("jürgen", "pass:wörd €"):
        raise Unauthorized('"Members" only', "Please ask for a password.")
    return Response.html(f"<p>Hello, {escape(found.username or '')}!</p>")


run(members)
