"""The CGI scripts of the working directory as one WSGI application, each below its own name.

The scripts are not changed and not written for it: each is run once as a script, with a `run` that
keeps the handler and its options for `WSGI`. A script that does not call `run` is left out.
"""

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import cgikit

PREFIX = "/cgi-bin/"
MISSING = b"No such script.\n"


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Pass a request on to the script that its path names; 404 where there is none."""
    # Some servers are told that all is below /cgi-bin and put it into SCRIPT_NAME.
    path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    name = script_of(path.removeprefix(PREFIX)) if path.startswith(PREFIX) else ""
    mounted = SCRIPTS.get(name)
    if mounted is None:
        fields = [("Content-Type", "text/plain"), ("Content-Length", str(len(MISSING)))]
        start_response("404 Not Found", fields)
        return [MISSING]
    environ["SCRIPT_NAME"] = PREFIX + name
    environ["PATH_INFO"] = path.removeprefix(PREFIX + name)
    return mounted(environ, start_response)


def script_of(path: str) -> str:
    """The name of the script that a path begins with, "" if none does."""
    names = path.split("/")
    begun = ("/".join(names[:count]) for count in range(1, len(names) + 1))
    return next((name for name in begun if name in SCRIPTS), "")


def mount(path: str) -> cgikit.WSGI | None:
    """Run a script up to its call of `run`, and return the application made of that."""
    made: list[cgikit.WSGI] = []

    def kept(handler: Callable[..., Any], **options: Any) -> None:
        made.append(cgikit.WSGI(handler, **options))

    with open(path, encoding="utf-8") as file:
        source = file.read()
    if "import" not in source or "run(" not in source or "cgikit" not in source:
        return None  # a script of another kind, which answers as soon as it is run
    with replaced_run(kept):
        exec(compile(source, path, "exec"), {"__name__": "__main__", "__file__": path})
    return made[0] if made else None


@contextlib.contextmanager
def replaced_run(stand_in: Callable[..., None]) -> Iterator[None]:
    """Let `from cgikit import run` bring something else for a while."""
    original = cgikit.run
    cgikit.run = stand_in
    try:
        yield
    finally:
        cgikit.run = original


SCRIPTS = {
    str(path): mounted
    for path in sorted(Path().rglob("*.py"))
    if (mounted := mount(os.path.abspath(path)))
}
