#!/usr/bin/env python3
"""The smallest page: greets whoever the query names, as in hello.py?name=Ada."""

from cgikit import escape, run


def hello(request):
    name = request.query.get("name", "world")
    return f"<!DOCTYPE html><title>Hello</title><h1>Hello, {escape(name)}!</h1>"


if __name__ == "__main__":
    run(hello)
