#!/usr/bin/env python3
"""Every kind of answer that a WSGI server treats differently, chosen by the path."""

import os
import threading
from collections.abc import Callable, Iterator
from typing import NoReturn

from cgikit import HTTPError, Request, Response, run

SIZE = 3_000_000


def pieces() -> Iterator[str]:
    yield "first\n"
    yield "x" * 100_000
    raise RuntimeError("the body failed on its way")


def fail(error: BaseException) -> NoReturn:
    raise error


def printed(request: Request) -> str:
    print("printed by a handler")
    return "fine"


def make(request: Request) -> str:
    with open("data/file.bin", "wb") as file:
        file.write(os.urandom(1000) * (SIZE // 1000))
    return "made"


def where(request: Request) -> Response:
    return Response.json([os.getpid(), threading.get_ident(), os.getcwd()])


KINDS: dict[str, Callable[[Request], Response | str]] = {
    "environ": lambda request: Response.json(dict(request.environ)),
    "echo": lambda request: Response(request.body, content_type="application/octet-stream"),
    "stream": lambda request: Response.stream(f"{n}\n" for n in range(100_000)),
    "cut": lambda request: Response.stream(pieces()),
    "fail": lambda request: fail(RuntimeError("on purpose")),
    "exit": lambda request: fail(SystemExit(3)),
    "local": lambda request: Response.local_redirect("/cgi-bin/hello.py?name=local"),
    "status": lambda request: Response("gone", request.query.getint("code")),
    "file": lambda request: Response.file("data/file.bin"),
    "unread": lambda request: Response.text("not read"),
    "print": printed,
    "make": make,
    "where": where,
}


def kinds(request: Request) -> Response | str:
    kind = request.path_info.partition("/")[2].partition("/")[0]
    if kind not in KINDS:
        raise HTTPError(404)
    return KINDS[kind](request)


if __name__ == "__main__":
    run(kinds)
