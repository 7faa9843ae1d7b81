"""Persistent scripts: one process answers many requests, over FastCGI.

`run` does this if the process was started with a listening socket. The handler gets the same `Request`
and returns the same `Response` as under CGI. This module finds out whether the process was started that
way and how many workers are wanted; the rest of the package is imported only then.
"""

import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..debug import OnError
    from ..gateway.listener import Listener
    from ..request import Request
    from ..response import Response

_MAX_WORKERS = 1_000
# Requests that a worker answers before another replaces it, which frees whatever it has leaked.
_REQUESTS = 10_000


def inherited_listener() -> "Listener | None":
    """Return the listening socket that this process was started with; None if it was not started as a
    FastCGI application. `SystemExit`, with a message, if systemd passes something else.
    """
    if "LISTEN_PID" not in os.environ:
        try:
            if not stat.S_ISSOCK(os.fstat(0).st_mode):
                return None
        except OSError:
            return None
    from ..gateway.listener import ListenError, inherited

    try:
        return inherited()
    except ListenError as error:
        raise SystemExit(f"cgikit: {error.strerror}") from None


def serve(
    listener: "Listener",
    respond: "Callable[[Request], Response]",
    options: "dict[str, Any]",
    debug: bool | None,
    on_error: "OnError | None" = None,
) -> None:
    """Answer the requests that come to `listener`, until SIGTERM, SIGUSR1 or SIGINT.

    `respond(request)` makes the response; `options` are those of `Request`, `debug` and
    `on_error` those of `run`. With CGIKIT_WORKERS=n in the environment, n processes answer, and this
    one supervises them; a worker ends by `SystemExit`.
    `SystemExit`, with a message, is also raised for an invalid number in the environment.
    """
    workers = _number("CGIKIT_WORKERS", _MAX_WORKERS)
    requests = _number("CGIKIT_REQUESTS", 1 << 31)
    _enter_start_directory()
    listener = _moved(listener)
    limit, directory = options["limits"].body, options["upload_dir"]
    if directory:
        _make(directory)
    from .answer import Answerer
    from .worker import PersistentWorker

    worker = PersistentWorker(
        listener, Answerer(respond, options, debug, on_error), limit, directory
    )
    if workers is None:
        worker.run(requests)
        return
    from .parent import Parent

    Parent(workers, requests or _REQUESTS, worker.run, listener).run()


def _make(directory: str) -> None:
    """Make the upload directory, in which bodies and answers are also stored. Errors are reported when
    it is used.
    """
    from contextlib import suppress

    from ..process import absolute
    from ..upload import make_directory

    with suppress(OSError):
        make_directory(absolute(directory))


def _enter_start_directory() -> None:
    """If the process was started in `/`, work in the directory of the script, as under CGI."""
    from .. import process

    directory = process.start_directory()
    if directory not in {"", "/"} and os.getcwd() == "/":
        os.chdir(directory)
        line = f"cgikit: started in /; changed to {directory}, the directory of the script"
        process.write_log(f"{line} (set WorkingDirectory for another)\n")


def _number(name: str, most: int) -> int | None:
    text = os.environ.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:12]) <= most):
        raise SystemExit(f"{name}={text[:50]} is not valid; give a number from 1 to {most}")
    return int(text)


def _moved(listener: "Listener") -> "Listener":
    """Return the socket, non-blocking, on a descriptor other than 0. On 0 it would be the standard
    input of every process that a handler starts. It must not block because workers compete for
    connections.
    """
    null = os.open(os.devnull, os.O_RDWR)
    # FastCGI section 2.2 closes 1 and 2: a socket that got one of these numbers would receive the log.
    while null < 3:
        os.set_inheritable(null, True)
        null = os.open(os.devnull, os.O_RDWR)
    if listener.fileno() == 0:
        listener.detach()
        listener = type(listener)(fileno=os.dup(0))
        os.dup2(null, 0)
    os.close(null)
    listener.setblocking(False)
    return listener
