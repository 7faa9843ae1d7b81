"""One process for many requests: `run` with a listening socket on descriptor 0 speaks FastCGI.

What makes a script persistent, and nothing of what it sees: the same handler gets the same `Request`
and returns the same `Response` as under CGI. Here is found out whether a process was started for that,
and how many are to do it; all else is imported only then.
"""

import os
import stat
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..gateway.listener import Listener
    from ..request import Request
    from ..response import Response

_MOST_WORKERS = 1_000
_REQUESTS = (
    10_000  # that a worker answers before another takes its place, and what it leaked is gone
)


def handed_over() -> "Listener | None":
    """Return the listening socket that this process was started with; None if it was not started as a
    FastCGI application. `SystemExit`, with a message, if what systemd hands over is not one.
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
) -> None:
    """Answer the requests that come to `listener`, until SIGTERM, SIGUSR1 or SIGINT.

    `respond(request)` makes the answer, `options` are those of `Request`. With CGIKIT_WORKERS=n in the
    environment n processes do it, which this one looks after; a worker leaves by `SystemExit`. It is
    raised for a number that makes no sense as well, with a message.
    """
    workers = _number("CGIKIT_WORKERS", _MOST_WORKERS)
    requests = _number("CGIKIT_REQUESTS", 1 << 31)
    _come_home()
    listener = _settled(listener)
    limit, directory = options["limits"].body, options["upload_dir"]
    if directory:
        _make(directory)
    from .answer import Answerer
    from .worker import PersistentWorker

    worker = PersistentWorker(listener, Answerer(respond, options, debug), limit, directory)
    if workers is None:
        worker.run(requests)
        return
    from .parent import Parent

    Parent(workers, requests or _REQUESTS, worker.run, listener).run()


def _make(directory: str) -> None:
    """Make the upload directory, where bodies and answers wait, too; what is wrong is told then."""
    from contextlib import suppress

    from ..process import absolute
    from ..upload import make_directory

    with suppress(OSError):
        make_directory(absolute(directory))


def _come_home() -> None:
    """Work in the script's own directory, as under CGI, where this process was started in `/`."""
    from .. import process

    home = process.start_directory()
    if home not in {"", "/"} and os.getcwd() == "/":
        os.chdir(home)
        told = f"cgikit: started in /; works in {home}, the script's own (WorkingDirectory chooses)"
        print(told, file=sys.stderr)  # noqa: T201


def _number(name: str, most: int) -> int | None:
    text = os.environ.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:12]) <= most):
        raise SystemExit(f"{name}={text[:50]}: give a number from 1 to {most}")
    return int(text)


def _settled(listener: "Listener") -> "Listener":
    """Return the socket away from descriptor 0, where all that a handler starts would have it as its
    standard input, and could accept; and let no call on it wait: another worker can be faster.
    """
    null = os.open(os.devnull, os.O_RDWR)
    # Closed ones, as FastCGI section 2.2 has it: a socket in their place would be taken for the log.
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
