#!/usr/bin/env python3
"""Say what cgikit made of the request, as JSON."""

from cgikit import Request, Response, run


def handler(request: Request) -> Response:
    return Response.json(
        {
            "method": request.method,
            "path_info": request.path_info,
            "query": request.query.pairs(),
            "keywords": request.keywords,
            "content_type": request.content_type,
            "content_length": request.content_length,
            "body": request.body.decode("latin-1"),
            "url": request.url(),
            "version": list(request.protocol_version),
            "remote_host": request.remote_host,
            "agent": request.headers.get("User-Agent", ""),
        }
    )


if __name__ == "__main__":
    run(handler)
