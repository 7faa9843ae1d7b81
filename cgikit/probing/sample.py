"""Runs a script for one sample request, and keeps all that it prints and how it ends.

The environment is that of a server which was started by the system: a short PATH, no HOME, no locale.
A script that does not end is stopped; one in Python is made to say first in which line it was.
"""

import os
import resource
import signal
import sys
import time

from cgikit import __version__

from ..checking.account import Account
from ..host.background import LEFT
from ..host.environ import ServerRequest, meta_variables
from ..host.executor import ClientGone, Job, TimeLimit, TimeLimits
from ..host.path import Script
from ..host.spawn import Spawn, SpawnRun
from .importtime import PREFIX

PATH = "/usr/local/bin:/usr/bin:/bin"  # what servers give that systemd or an init script started
MAX_OUTPUT = 1 << 20  # bytes that are kept
MAX_LINES = 200  # of standard error
_GRACE = 2.0  # seconds from the signal to the end
_MAX_IMPORTS = 5_000  # lines
_READ = {"x86_64": b"0", "aarch64": b"63", "riscv64": b"63"}  # by machine: the number of read(2)


class Sample:
    """One run. `.method` (str); `.output` is what the script printed (bytes, at most 1 MiB) and `.size`
    how much that was (int); `.errors` are the lines of its standard error (list of str); `.status` is
    its exit status (int; negative: the number of the signal that killed it); `.seconds` is how long it
    ran (float); `.is_late` tells whether it was stopped because it did not end (bool).

    `.memory` is the most that it had in memory (bytes; None if that was less than this process has,
    which the system does not tell apart). `.imports` are lines about its imports (list of str; empty
    unless asked for). `.left_open` tells whether another process kept its output open (bool),
    `.left_running` whether it left processes behind (bool), and `.waited` whether it waited for more
    input than the body (bool).
    """

    def __init__(self, method: str) -> None:
        self.method = method
        self.output = b""
        self.size = 0
        self.errors: list[str] = []
        self.status = 0
        self.seconds = 0.0
        self.is_late = False
        self.memory: int | None = None
        self.imports: list[str] = []
        self.left_open = False
        self.left_running = False
        self.waited = False

    def log(self, line: str) -> None:
        """Keep a line of its standard error, unless there are too many."""
        if line == LEFT:
            self.left_running = True
        elif line.startswith(PREFIX):
            if len(self.imports) < _MAX_IMPORTS:
                self.imports.append(line)
        elif len(self.errors) < MAX_LINES:
            self.errors.append(line)


def run_sample(
    file: str,
    method: str,
    user: Account,
    seconds: float,
    path: str = PATH,
    *,
    imports: bool = False,
) -> Sample:
    """Run a script for a request without a body or, for POST, with an empty form; return the `Sample`.

    `user` is who it runs as, if this process is root's; `path` is its PATH. `imports` has a Python tell
    about them. Raises `OSError` if it cannot be started.
    """
    whole = os.path.abspath(file)
    sample = Sample(method)
    variables = _environment(whole, method, path)
    if imports:
        variables["PYTHONPROFILEIMPORTTIME"] = "1"
    body = _Open(seconds / 2) if method == "POST" else None
    job = Job(
        file=whole,
        environment=variables,
        arguments=(),
        body=body,
        log=sample.log,
        gone=lambda: False,
        limits=TimeLimits(header=seconds, idle=seconds, total=seconds, grace=_GRACE),
        user=user,
    )
    executor = Spawn(end_with=signal.SIGABRT)  # at which Python says in which line it was
    executor.background.suspect(whole)  # looked at from the first run on
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.monotonic()
    run = executor.start(job)
    if body is not None:
        body.run = run
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
    sample.left_open = run.left_open and not sample.is_late
    sample.waited = body is not None and body.is_waited_for
    if run.memory > own:
        sample.memory = run.memory * (1 if sys.platform == "darwin" else 1_024)
    return sample


class _Open:
    """An empty body whose pipe stays open, as servers may leave it, until the script waits for more; at
    most for some `seconds`, since a program that it starts may do that, which is not seen.
    """

    def __init__(self, seconds: float) -> None:
        self.run: SpawnRun | None = None
        self.is_waited_for = False
        self._until = time.monotonic() + seconds

    def read(self, size: int, /) -> bytes:
        seen = _waits_for_input(self.run.pid) if self.run else False
        self.is_waited_for = bool(seen)
        if seen is not False or time.monotonic() > self._until:
            return b""
        time.sleep(0.01)
        raise BlockingIOError


def _waits_for_input(pid: int) -> bool | None:
    """Whether a process is in read(2) of its standard input (proc_pid_syscall(5)); None if the system
    does not tell.
    """
    wanted = _READ.get(os.uname().machine)
    try:
        with open(f"/proc/{pid}/syscall", "rb") as stream:
            words = stream.read(200).split()
    except ProcessLookupError:  # it has ended
        return False
    except OSError:
        return None
    return words[:2] == [wanted, b"0x0"] if wanted else None


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
