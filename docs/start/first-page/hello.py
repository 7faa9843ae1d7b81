#!/usr/bin/env python3
"""Says hello."""

from cgikit import Request, escape, run


def hello(request: Request) -> str:
    name = request.query.get("name", "world")
    return f"<h1>Hello, {escape(name)}!</h1>"


if __name__ == "__main__":
    run(hello)
