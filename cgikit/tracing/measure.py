"""Runs a script for one request and takes the time of each step, from outside and from inside.

From outside: when the process was there, when the interpreter had replaced it, when output came, when
it had ended. From inside, for scripts in Python: when the interpreter was ready, and each import. All
clocks are the system's monotonic one, which all processes share.
"""

import contextlib
import os
import selectors
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Mapping

from ..checking.account import Account
from .dialogue import KEPT, Dialogue
from .step import Trace

MAX_OUTPUT = 1 << 26  # bytes that are read of a script that prints without an end
_MAX_TOLD = 4_000_000  # bytes that an interpreter may tell
_MAX_ERRORS = 100  # lines
_TICK = 0.2  # seconds
_CHUNK = 65_536
_BLANK_LINES = (b"\n\n", b"\n\r\n")  # where a header block ends (RFC 3875 section 6.3)


class Failed(Exception):
    """The script could not be run, or did not end."""


class _Times:
    """What was seen from outside; nanoseconds of the monotonic clock, 0 for what was not seen."""

    def __init__(self) -> None:
        self.begin = self.child = self.executed = self.first = self.header = self.last = 0
        self.closed = self.ended = self.released = self.reaped = 0


def measure(
    file: str,
    environment: Mapping[str, str],
    body: bytes = b"",
    *,
    inside: bool = True,
    seconds: float = 60.0,
    user: Account | None = None,
) -> Trace:
    """Run a script with this environment and standard input, and return its steps (`Trace`).

    `inside` asks a Python interpreter to tell about itself. `seconds` is the time limit. `user` is
    who runs it, if this process is root's. Raises
    `Failed` if the script cannot be started or does not end.
    """
    with contextlib.ExitStack() as stack:
        variables = dict(environment)
        telling: tuple[int, int] = (-1, -1)
        if inside:
            place = stack.enter_context(tempfile.TemporaryDirectory(prefix="cgikit-trace-"))
            os.chmod(place, 0o755)  # noqa: S103 -- the user of the script reads it
            telling = os.pipe()
            _prepare(place, variables, telling[1])
        given = stack.enter_context(tempfile.TemporaryFile())
        given.write(body)
        given.seek(0)
        run = _Run(file, variables, given.fileno(), telling, seconds, user)
        run.wait()
    trace = run.trace(file)
    trace.dialogue = Dialogue(
        environment,
        body[:KEPT],
        len(body),
        bytes(run.output),
        run.size,
        bytes(run.errors),
        run.status,
    )
    return trace


def _prepare(place: str, variables: dict[str, str], fd: int) -> None:
    """Have a Python load what tells about it, before the script."""
    source = os.path.join(os.path.dirname(__file__), "inside.txt")
    shutil.copy(source, os.path.join(place, "sitecustomize.py"))
    before = variables.get("PYTHONPATH", "")
    variables["CGIKIT_TRACE_FD"] = str(fd)
    if before:
        variables["CGIKIT_TRACE_PYTHONPATH"] = before
    variables["PYTHONPATH"] = os.pathsep.join(filter(None, [place, before]))


class _Run:
    """One process, and what was seen of it."""

    def __init__(
        self,
        file: str,
        variables: dict[str, str],
        given: int,
        telling: tuple[int, int],
        seconds: float,
        user: Account | None,
    ) -> None:
        self.times = _Times()
        self.told = bytearray()
        self.output = bytearray()
        self.errors = bytearray()
        self.size = 0
        self.status = 0
        self._deadline = time.monotonic() + seconds
        self._why = ""  # it was stopped
        out, err, born = os.pipe(), os.pipe(), os.pipe()  # born: closed by the exec
        self.times.begin = time.monotonic_ns()
        self._pid = os.fork()
        if not self._pid:
            _become(file, variables, (given, out[1], err[1]), born[1], telling[1], user)
        for fd in (out[1], err[1], born[1], telling[1]):
            if fd >= 0:
                os.close(fd)
        self._sources = {out[0]: self._on_output, err[0]: self._on_errors}
        if telling[0] >= 0:
            self._sources[telling[0]] = self._on_told
        try:
            self._started(file, born[0])
        except Failed:
            for fd in self._sources:
                os.close(fd)
            raise

    def _started(self, file: str, born: int) -> None:
        """Wait for the exec: what the new process said first, then the end of the pipe."""
        said = b""
        with os.fdopen(born, "rb") as stream:
            said = stream.read()
        self.times.executed = time.monotonic_ns()
        words = said[:60].split()
        if len(words) != 1:
            os.waitpid(self._pid, 0)
            why = os.strerror(int(words[1])) if len(words) == 2 else "the process ended"
            raise Failed(f"{file} cannot be started: {why}")
        self.times.child = int(words[0])

    def wait(self) -> None:
        """Read everything until the process has ended, and reap it. Whatever ends the waiting, as
        Ctrl-C, ends the script.
        """
        try:
            self._follow()
        except BaseException:
            self._end()
            raise
        _, status = self._end()
        self.times.reaped = time.monotonic_ns()
        self.status = os.waitstatus_to_exitcode(status)
        if self._why:
            raise Failed(self._why)

    def _end(self) -> tuple[int, int]:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._pid, signal.SIGKILL)  # not reaped yet: its number is its own
        return os.waitpid(self._pid, 0)

    def _follow(self) -> None:
        with selectors.DefaultSelector() as selector:
            for fd in self._sources:
                os.set_blocking(fd, False)
                selector.register(fd, selectors.EVENT_READ)
            ended = _watch(self._pid)
            selector.register(ended, selectors.EVENT_READ)
            while ended is not None or self._sources:
                for key, _ in selector.select(_TICK):
                    if key.fd == ended:
                        self.times.ended = time.monotonic_ns()
                        selector.unregister(ended)
                        os.close(ended)
                        ended = None  # type: ignore[assignment]
                    elif not self._read(key.fd):
                        selector.unregister(key.fd)
                        os.close(key.fd)
                        del self._sources[key.fd]
                if ended is None and time.monotonic_ns() - self.times.ended > 1e9:
                    break  # processes that it left have its pipes open
                if time.monotonic() > self._deadline and not self._why:
                    self._why = "the script did not end, and was stopped"
                    os.killpg(self._pid, signal.SIGKILL)
            self.times.released = time.monotonic_ns()
            for fd in self._sources:
                os.close(fd)

    def _read(self, fd: int) -> bool:
        try:
            data = os.read(fd, _CHUNK)
        except BlockingIOError:
            return True
        if data:
            self._sources[fd](data)
        elif self._sources[fd] == self._on_output:
            self.times.closed = time.monotonic_ns()
        return bool(data)

    def _on_output(self, data: bytes) -> None:
        now = time.monotonic_ns()
        self.times.first = self.times.first or now
        self.times.last = now
        self.size += len(data)
        before = max(0, len(self.output) - 3)  # the blank line may have begun there
        self.output += data[: KEPT - len(self.output)]
        if not self.times.header and any(self.output.find(e, before) >= 0 for e in _BLANK_LINES):
            self.times.header = now
        if self.size > MAX_OUTPUT and not self._why:
            self._why = f"the script printed more than {MAX_OUTPUT >> 20} MiB, and was stopped"
            os.killpg(self._pid, signal.SIGKILL)

    def _on_errors(self, data: bytes) -> None:
        self.errors += data[: _CHUNK - len(self.errors)]

    def _on_told(self, data: bytes) -> None:
        self.told += data[: _MAX_TOLD - len(self.told)]

    def trace(self, file: str) -> Trace:
        """Return the steps."""
        from .story import interpreter, steps

        trace = Trace(file, steps(self.times, bytes(self.told)))
        trace.status, trace.size = self.status, self.size
        trace.errors = self.errors.decode("utf-8", "replace").splitlines()[:_MAX_ERRORS]
        trace.is_inside = b"begin\t" in self.told
        trace.interpreter = interpreter(bytes(self.told))
        return trace


def _watch(pid: int) -> int:
    """Return a descriptor that can be read when a child has ended. The child is not reaped."""
    if hasattr(os, "pidfd_open"):
        return os.pidfd_open(pid)
    ended, ending = os.pipe()  # not Linux: a thread waits

    def wait() -> None:
        with contextlib.suppress(ChildProcessError):
            os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        os.close(ending)

    threading.Thread(target=wait, daemon=True).start()
    return ended


def _become(
    file: str,
    variables: dict[str, str],
    streams: tuple[int, int, int],
    born: int,
    telling: int,
    user: Account | None,
) -> None:
    """In the new process: say that it is there, and become the script. Never returns."""
    try:
        os.write(born, b"%d " % time.monotonic_ns())
        for to, fd in enumerate(streams):
            os.dup2(fd, to)
        if telling >= 0:
            os.set_inheritable(telling, True)
        os.setsid()  # a group of its own to end, and no terminal
        os.chdir(os.path.dirname(os.path.abspath(file)))
        if user is not None and not os.geteuid():
            os.setgroups(sorted(user.groups))
            os.setgid(user.gid)
            os.setuid(user.uid)
        for number in (signal.SIGPIPE, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        os.execve(os.path.abspath(file), [file], variables)  # noqa: S606 -- the script
    except OSError as error:
        os.write(born, b"%d" % (error.errno or 1))
    finally:
        os._exit(127)
