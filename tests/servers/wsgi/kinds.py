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


def announced(*body: str) -> Response:
    """A body of 10,000 bytes, if one believes the header."""
    return Response(iter(body), headers={"Content-Length": "10000"}, content_type="text/plain")


def late() -> Iterator[str]:
    yield "x" * 10_000
    raise RuntimeError("after the last byte")


def shrink(request: Request) -> Response:
    """A file that has become shorter when it is sent."""
    path = f"data/shrinking-{os.urandom(8).hex()}"
    with open(path, "wb") as file:
        file.write(b"x" * 300_000)
    os.utime(path, (1e9, 1e9))
    response = Response.file(path)
    os.truncate(path, 100_000)
    os.unlink(path)
    return response


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
    "short": lambda request: announced("x" * 1_000),
    "over": lambda request: announced("x" * 9_000, "x" * 1_000, "x" * 5),
    "late": lambda request: Response(late(), headers={"Content-Length": "10000"}),
    "shrink": shrink,
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
