"""The program that runs a script warm, or as a persistent one, while requests to it are measured.

It is an interpreter of its own, started with the listening socket as standard input, and ends, with
all that it has started, when the process that measures closes the other end of a pipe: so nothing is
left behind, however that one ends.
"""

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time

from ..gateway.listener import Listener, inherited
from ..warm.loglines import LogLines
from ..warm.settings import Settings
from ..warm.supervisor import Supervisor

TIMEOUT = 20.0  # seconds of one request
SETTLING = 20.0  # seconds for workers to be replaced by ones that have what was learnt
_QUIET = 0.3  # seconds without news, after which nothing more is to be learnt
_TICK = 0.02  # seconds
_GRACE = 2.0  # seconds from TERM to KILL
_MEMORY = 1 << 30  # as the commands have it


def main() -> int:
    """Run what the arguments name: `warm` or `persistent`, the script, the number of a descriptor that
    leads to the process that measures. Return the exit status (int).
    """
    kind, file, number = sys.argv[1:4]
    with socket.socket(fileno=int(number)) as channel:
        if kind == "persistent":
            return _persistent(file, channel)
        listener = inherited()
        return _warm(file, channel, listener) if listener else 2


def _warm(file: str, channel: socket.socket, listener: Listener) -> int:
    """Run the engine of `cgikit fastcgi`; say "r" when it is ready, and answer each byte when it has
    preloaded what it has learnt from the requests so far.
    """
    ready = threading.Event()
    settings = Settings(
        root=os.path.realpath(file),
        protocol="fastcgi",
        stderr_out=True,
        timeout=TIMEOUT,
        total=TIMEOUT,
        grace=_GRACE,
        children=4,
        memory=_MEMORY,
    )
    supervisor = Supervisor(
        listener,
        settings,
        workers=1,
        environment=dict(os.environ),
        log=LogLines(),
        started=ready.set,
    )
    thread = threading.Thread(target=supervisor.run, daemon=True)
    thread.start()
    try:
        while not ready.wait(_TICK):
            if not thread.is_alive() or _is_over(channel):
                return 1
        channel.sendall(b"r")
        while channel.recv(1):  # the other process ends it, or waits with a limit of its own
            _settle(supervisor)
            channel.sendall(b"s")
    finally:
        supervisor.stop()
        thread.join(_GRACE + TIMEOUT)
    return 0


def _settle(supervisor: Supervisor) -> None:
    """Wait until nothing has been learnt for a moment, and the workers have what was."""
    end = time.monotonic() + SETTLING
    since = time.monotonic()
    while (now := time.monotonic()) < min(end, since + _QUIET):
        if not supervisor.is_settled:
            since = now
        time.sleep(_TICK)


def _persistent(file: str, channel: socket.socket) -> int:
    """Run the script with the listening socket as its standard input, until it is to end."""
    process = subprocess.Popen(  # noqa: S603 -- the script that is measured
        [file], stdout=subprocess.DEVNULL, start_new_session=True
    )
    channel.sendall(b"r")
    try:
        while not (over := _is_over(channel, _TICK)) and not _has_ended(process.pid):
            pass
    finally:
        end = time.monotonic() + _GRACE
        os.kill(process.pid, signal.SIGTERM)  # it is not reaped yet: its number is its own
        while not _has_ended(process.pid) and time.monotonic() < end:
            time.sleep(_TICK)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        status = process.wait(_GRACE)
    return 0 if over else abs(status)


def _has_ended(pid: int) -> bool:
    """Whether a child has ended, without reaping it."""
    return bool(os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT))


def _is_over(channel: socket.socket, seconds: float = 0.0) -> bool:
    """Whether the process that measures has gone: it says nothing here but its end."""
    return bool(select.select([channel], [], [], seconds)[0])
