"""A running server, as the tests see it, and the life of its process.

Whatever the kind, a server is started as a session of its own on a loopback address, is waited for
until it answers, and is ended by the process id that was started here.
"""

import contextlib
import grp
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

LOOPBACK = "127.0.0.1"
LOOPBACK_6 = "::1"
START_SECONDS = 30.0
STOP_SECONDS = 15.0
LEAVE_SECONDS = 5.0  # for children to notice that their parent has gone

T = TypeVar("T")


@dataclass(frozen=True)
class Server:
    """A server that runs: where it answers, what it serves and what it says."""

    name: str
    base_url: str  # of the directory of scripts; ends with "/"
    directory: Path  # the scripts, a copy that the test may write to
    log: Path  # of the server's process
    logs: tuple[
        Path, ...
    ] = ()  # where else the server, or what runs scripts for it, says something
    user: str | None = None  # whom the scripts run as; None: who runs the tests

    def url(self, path: str) -> str:
        """The URL of `path` below the directory of scripts, such as `hello.py?a=1`."""
        return self.base_url + path

    def error_log(self) -> str:
        """What the server has written to its error logs so far."""
        paths = [path for path in (self.log, *self.logs) if path.exists()]
        return "".join(path.read_text(errors="replace") for path in paths)

    def raw(self, request: bytes, *, more: bool = False, seconds: float = 60) -> bytes:
        """Send bytes over a connection of their own, and return all that comes back until its end.

        The sending half is closed after them, unless `more`: some servers take that for a client
        that has left.
        """
        url = urlsplit(self.base_url)
        with socket.create_connection((url.hostname, url.port), timeout=seconds) as connection:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # answered before
                connection.sendall(request)
                if not more:
                    connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(65_536), b""))


class NotStarted(Exception):
    """A server ended, or did not answer in time; the message holds its log."""


@contextlib.contextmanager
def running(
    command: list[str],
    log: Path,
    environ: dict[str, str],
    stop: signal.Signals,
    user: str | None = None,
    leaves: bool = False,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server with output and errors appended to `log`; end it with the signal `stop`.

    `user`: whom it runs as. `leaves`: it is known to end without its children, which are ended then;
    for all others that is an error.
    """
    switch = as_user(user)
    # A killed test run cannot clean up; the kernel then ends the server for it. In the same call as
    # the change of user, which would take the guard away.
    guard = ["setpriv", "--pdeathsig", "TERM", *switch, "--"] if shutil.which("setpriv") else []
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*guard, *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environ,
            # httpd ends its children by signalling its whole process group: not ours, please.
            start_new_session=True,
            umask=0o022,
        )
    try:
        yield process
    finally:
        end(process, stop)
        left = end_session(process.pid, 0 if leaves else LEAVE_SECONDS)
        assert leaves or not left, f"{command} has ended and left processes behind: {left}"


def end_session(session: int, seconds: float) -> list[int]:
    """End what is still running of a session; return the ids of what had to be ended.

    Children get a moment to notice by themselves that their parent has gone.
    """
    deadline = time.monotonic() + seconds
    while (left := members(session)) and time.monotonic() < deadline:
        time.sleep(0.05)
    for process in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    return left


def members(session: int) -> list[int]:
    """The processes of a session that run, whatever their groups; zombies do not."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text(errors="replace").rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[3]) == session and fields[0] not in "ZX":
            found.append(int(path.parent.name))
    return found


def as_user(user: str | None) -> list[str]:
    """The options of setpriv that change to a user; none for None."""
    if user is None:
        return []
    group = grp.getgrgid(pwd.getpwnam(user).pw_gid).gr_name
    return [f"--reuid={user}", f"--regid={group}", "--init-groups"]


def end(
    process: subprocess.Popen[bytes], stop: signal.Signals, seconds: float = STOP_SECONDS
) -> None:
    """End a server; one that ignores the signal is killed, and that is an error."""
    if process.poll() is None:
        process.send_signal(stop)
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired as error:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise AssertionError(f"still running {seconds:g} s after {stop.name}") from error


def wait_until(ready: Callable[[], T | None], process: subprocess.Popen[bytes], log: Path) -> T:
    """Ask `ready` until it returns something; `NotStarted` when the process ends or time is up."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise NotStarted(f"exit code {process.returncode}:\n{log.read_text(errors='replace')}")
        if (found := ready()) is not None:
            return found
        time.sleep(0.02)
    raise NotStarted(f"no answer in {START_SECONDS:g} s:\n{log.read_text(errors='replace')}")


def listens(host: str, port: int) -> bool | None:
    """True when a port of a loopback address accepts connections, None when not."""
    try:
        socket.create_connection((host, port), timeout=5).close()
    except OSError:
        return None
    return True
