"""What a way of running scripts must offer, and what it can refuse. No process is started here.

Front ends know only these names; `spawn.py` implements them by fork and exec.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class TimeLimits:
    """How long a script may take, in seconds. All finite."""

    header: float = 60  # until the header block is complete, then 504. httpd's TimeOut: 60
    idle: float = 60  # without output after that. httpd: the same 60
    total: float = 3_600  # for everything, so that no script runs for ever
    grace: float = 3  # from TERM to KILL. httpd: 3

    def over(self, started: float, asked: float, in_body: bool) -> "TimeLimit | None":
        """Return the limit that a script is over now, None if it is over none.

        `started` is when it was started, `asked` since when its output is waited for, both by
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
        """Return up to `size` bytes, b"" at the end. It must not block for long, since the script's
        output waits meanwhile.
        """


@dataclass(frozen=True)
class Job:
    """One run of a script.

    `file` is its absolute path, `arguments` the words for its command line, `environment` all of
    its environment. `interpreter` is the program that runs it, "" if it runs by itself; `outside` says
    that it lies outside the directory that is served. `body` is the request's body, None without one.
    `log` takes each line of its standard error. `gone` says whether the client has left; it is asked
    several times a second.
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


class Run(Protocol):
    """A script that is running. One thread uses it."""

    def read(self) -> bytes:
        """Return the next output as soon as there is some, b"" at the end.

        Raises `TimeLimit` and `ClientGone`; the script has been ended then.
        """

    def header_done(self) -> None:
        """Say that the header block is complete: from now on the idle limit counts."""

    def close(self) -> int:
        """End the script if it still runs, with all of its process group, and return how it ended:
        its exit status, or the negative number of the signal. May be called again.
        """


class Executor(Protocol):
    """A way of running scripts. Many threads use it."""

    def start(self, job: Job) -> Run:
        """Start a script. `OSError` when it cannot be started."""

    def close(self) -> None:
        """End all scripts that still run, and start no more."""


class TimeLimit(Exception):
    """The script took too long and was ended. `.limit` names the limit in `TimeLimits`, `.seconds`
    is its value.
    """

    def __init__(self, limit: str, seconds: float) -> None:
        super().__init__(f"the script went over its time limit ({limit}, {seconds:g} s)")
        self.limit = limit
        self.seconds = seconds


class ClientGone(Exception):
    """The client left, or the server stops, before the script was done; the script was ended."""
