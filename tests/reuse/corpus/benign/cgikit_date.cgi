#!/usr/bin/env python3
# why: A date in words, for which an installed package is loaded.
# first: GET /?day=27+Nov+2026
# second: GET /?day=2+Jan+2025
from cgikit import Response, run


def show(request):
    return Response.text(request.query.getdate("day").isoformat())


if __name__ == "__main__":
    run(show)
