#!/usr/bin/env python3
"""Read a form by cgikit, at most 1,000 bytes of body and 2,000 of query; say its fields as JSON."""

from cgikit import HTTPError, Limits, Request, Response, run


def handler(request: Request) -> Response:
    if request.path_info:
        raise HTTPError(404, "nothing below")
    return Response.json({"form": request.form.pairs(), "query": request.query.pairs()})


if __name__ == "__main__":
    run(handler, limits=Limits(body=1_000, query=2_000))
