"""Runs a script for one sample request, and keeps all that it prints and how it ends.

The environment is that of a server which was started by the system: a short PATH, no HOME, no locale.
A script that does not end is stopped; one in Python is made to say first in which line it was.
"""

import os
import signal
import time

from cgikit import __version__

from ..checking.account import Account
from ..host.environ import ServerRequest, meta_variables
from ..host.executor import ClientGone, Job, TimeLimit, TimeLimits
from ..host.path import Script
from ..host.spawn import Spawn

PATH = "/usr/local/bin:/usr/bin:/bin"  # what servers give that systemd or an init script started
MAX_OUTPUT = 1 << 20  # bytes that are kept
MAX_LINES = 200  # of standard error
_GRACE = 2.0  # seconds from the signal to the end


class Sample:
    """One run. `.method` (str); `.output` is what the script printed (bytes, at most 1 MiB) and `.size`
    how much that was (int); `.errors` are the lines of its standard error (list of str); `.status` is
    its exit status (int; negative: the number of the signal that killed it); `.seconds` is how long it
    ran (float); `.is_late` tells whether it was stopped because it did not end (bool).
    """

    def __init__(self, method: str) -> None:
        self.method = method
        self.output = b""
        self.size = 0
        self.errors: list[str] = []
        self.status = 0
        self.seconds = 0.0
        self.is_late = False

    def log(self, line: str) -> None:
        """Keep a line of its standard error, unless there are too many."""
        if len(self.errors) < MAX_LINES:
            self.errors.append(line)


def run_sample(file: str, method: str, user: Account, seconds: float, path: str = PATH) -> Sample:
    """Run a script for a request without a body or, for POST, with an empty form; return the `Sample`.

    `user` is who it runs as, if this process is root's; `path` is its PATH. Raises `OSError` if it
    cannot be started.
    """
    whole = os.path.abspath(file)
    sample = Sample(method)
    job = Job(
        file=whole,
        environment=_environment(whole, method, path),
        arguments=(),
        body=_Nothing() if method == "POST" else None,
        log=sample.log,
        gone=lambda: False,
        limits=TimeLimits(header=seconds, idle=seconds, total=seconds, grace=_GRACE),
        user=user,
    )
    executor = Spawn(end_with=signal.SIGABRT)
    started = time.monotonic()
    run = executor.start(job)
    kept = bytearray()
    try:
        while chunk := run.read():
            kept += chunk[: MAX_OUTPUT - len(kept)]
            sample.size += len(chunk)
    except (TimeLimit, ClientGone):
        sample.is_late = True
    finally:
        sample.status = run.close()
    sample.seconds = time.monotonic() - started
    sample.output = bytes(kept)
    return sample


class _Nothing:
    """An empty body."""

    def read(self, size: int, /) -> bytes:
        return b""


def _environment(file: str, method: str, path: str) -> dict[str, str]:
    directory, name = os.path.split(file)
    body = method == "POST"
    request = ServerRequest(
        method,
        f"/cgi-bin/{name}",
        headers=(("Host", "localhost"), ("User-Agent", f"cgikit/{__version__} (check)")),
        content_length=0 if body else None,
        content_type="application/x-www-form-urlencoded" if body else "",
    )
    script = Script(file, request.path)
    variables = meta_variables(request, script, directory, f"cgikit/{__version__}")
    # At SIGABRT, Python prints the line where it was; nothing else changes (PYTHONFAULTHANDLER)
    return {"PATH": path, "PYTHONFAULTHANDLER": "1", **variables}
