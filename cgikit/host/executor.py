"""The interface of a way to run scripts: a job, its run, and their errors. It starts no process.

Front ends use only these names; `spawn.py` implements them with fork and exec.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ..checking.account import Account


@dataclass(frozen=True)
class TimeLimits:
    """How long a script may take, in seconds. All finite."""

    header: float = 60  # until the header block is complete, then 504. httpd's TimeOut: 60
    idle: float = 60  # without output after that. httpd: the same 60
    total: float = 3_600  # in all, so that no script runs for ever
    grace: float = 3  # from TERM to KILL. httpd: 3
    silence: float = 10  # without output, after which `Job.silent` is called

    def over(self, started: float, asked: float, in_body: bool) -> "TimeLimit | None":
        """Return the limit that a script has exceeded, or None.

        `started` is when it was started and `asked` when the wait for its output began, both by
        `time.monotonic`; `in_body` says whether its header block is complete.
        """
        now = time.monotonic()
        if now - started > self.total:
            return TimeLimit("total", self.total)
        if not in_body and now - started > self.header:
            return TimeLimit("header", self.header)
        if in_body and now - asked > self.idle:
            return TimeLimit("idle", self.idle)
        return None


class Source(Protocol):
    """Where the request's body comes from."""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes, b"" at the end. Must not block for long, because the script's
        output has to wait meanwhile. `BlockingIOError` means that there is nothing yet.
        """


@dataclass(frozen=True)
class Job:
    """One run of a script.

    `file` is its absolute path, `arguments` are its command-line arguments, `environment` is its whole
    environment. `interpreter` is the program that runs it, "" if it runs by itself; `outside` says that
    it is outside the served directory; `user` runs it, if this process is root's and another one is
    named (only `spawn` does that). `body` is the request's body, or None. `log` is called with each
    line of its standard error. `gone` returns whether the client has disconnected; it is called
    several times a second. `silent` is called once, if there is no output for `limits.silence` seconds,
    with the processor time that the script has taken (seconds; None if it is not known) and where it is
    (as `whereabouts` says it).
    """

    file: str
    environment: Mapping[str, str]
    arguments: tuple[str, ...]
    body: Source | None
    log: Callable[[str], None]
    gone: Callable[[], bool]
    limits: TimeLimits
    interpreter: str = ""
    outside: bool = False
    user: "Account | None" = None
    silent: Callable[[float | None, str], None] | None = None


class Run(Protocol):
    """A script that is running. One thread uses it."""

    def read(self) -> bytes:
        """Return the next output as soon as there is some, b"" at the end.

        Raises `TimeLimit` and `ClientGone`, after ending the script.
        """

    def header_done(self) -> None:
        """Note that the header block is complete: from now on the idle limit applies."""

    def close(self) -> int:
        """End the script's whole process group if it still runs. Return its exit status, or the
        negative number of the signal that killed it. May be called again.
        """


class Executor(Protocol):
    """A way of running scripts. Many threads use it."""

    def start(self, job: Job) -> Run:
        """Start a script. Raises `OSError` if it cannot be started."""

    def close(self) -> None:
        """End all running scripts, and start no more."""


class TimeLimit(Exception):
    """The script took too long and was stopped. `.limit` names the limit in `TimeLimits`, `.seconds`
    is its value.
    """

    def __init__(self, limit: str, seconds: float) -> None:
        super().__init__(f"the script went over its time limit ({limit}, {seconds:g} s)")
        self.limit = limit
        self.seconds = seconds


class ClientGone(Exception):
    """The client disconnected, or the server stopped, before the script had ended; it was stopped."""
