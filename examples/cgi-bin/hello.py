#!/usr/bin/env python3
"""The smallest page: greets the person in the query, as in hello.py?name=Ada."""

from cgikit import Request, escape, run

PAGE = """<!DOCTYPE html><html lang="en"><meta name="viewport" content="width=device-width">
<title>Hello</title><main><h1>Hello, {name}!</h1></main>"""


def hello(request: Request):
    name = request.query.get("name", "world")
    return PAGE.format(name=escape(name))


if __name__ == "__main__":
    run(hello)
