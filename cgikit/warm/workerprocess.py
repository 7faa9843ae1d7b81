"""A worker and its zygote as their supervisor sees them: processes, messages, log lines, children.

This module starts and stops them; `supervisor.py` decides when, and what their messages mean.
"""

import contextlib
import mmap
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from cgikit.gateway.handover import Handover

from . import messages, slottable
from .settings import Settings
from .slottable import SlotTable
from .zygote import BLOCKED

#: Signals that a worker or its zygote blocks, so that one sent by mistake ends no request. A worker
#: handles SIGTERM and SIGUSR1.
_STRAY = {
    "worker": (signal.SIGHUP, signal.SIGINT, signal.SIGUSR2),
    "zygote": BLOCKED,
}
#: Has the loader bind all C functions at the start (ld.so(8)), or each child would look them up again.
BIND_NOW = {"LD_BIND_NOW": "1"}
ASKING = 10.0  # seconds between questions to a worker whether it is there
HANDING = 5.0  # seconds to hand over settings
AT_ONCE = 16  # reads of what a worker prints, before others have their turn
ENDING = 5.0  # seconds to end; then it is killed, and after as many more left to the kernel
_PACKAGE = str(Path(__file__).resolve().parent.parent.parent)
# The only cgikit on its path is this one
_CODE = (
    "import sys; sys.path[0] = sys.argv.pop(1); from cgikit.warm.{} import main; sys.exit(main())"
)


class WorkerProcess:
    """One worker as its supervisor sees it: its process, its messages, its log, its children."""

    def __init__(
        self,
        generation: int,
        listener: socket.socket,
        handover: Handover,
        environment: Mapping[str, str],
        settings: Settings,
    ) -> None:
        self.generation = generation
        self.started = time.monotonic()
        self.ready = False
        self.draining = False
        self.killed_at = 0.0  # when it was told to end now; 0: it was not
        self._pinged = self._heard = self.started
        self._ended_at = 0.0
        self._unpacker = messages.Unpacker()
        self._lines = [bytearray(), bytearray()]
        self.channel, theirs = socket.socketpair()
        ours, forking = socket.socketpair()
        with theirs, ours, forking, tempfile.TemporaryFile() as table:
            table.truncate(slottable.SIZE)
            self._table = SlotTable(mmap.mmap(table.fileno(), slottable.SIZE))
            data = messages.pack(settings.values())
            for sock in (self.channel, ours):
                sock.settimeout(HANDING)  # no reader is needed: it fits into the socket
                sock.sendall(data)
            shared = table.fileno()
            passed = (theirs, listener, ours, handover.inbox, handover.outbox)
            fds = *(sock.fileno() for sock in passed), shared
            self.forking = _interpreter("zygote", (forking.fileno(), shared), environment)
            try:
                self.process = _interpreter("worker", fds, environment)
            except BaseException:
                self.forking.kill()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.forking.wait(ENDING)
                raise
        self.outputs = [_pipe(self.process.stdout), _pipe(self.forking.stdout)]
        self.channel.setblocking(False)

    def messages(self) -> list[tuple[Any, ...]]:
        """Return what the worker has said since."""
        found: list[tuple[Any, ...]] = []
        with contextlib.suppress(BlockingIOError, ConnectionResetError):
            while data := self.channel.recv(65_536):
                found += self._unpacker.feed(data)
        if found:
            self._heard = time.monotonic()
        return [message for message in found if message != ("here",)]

    def ask(self, now: float) -> None:
        """Ask it, from time to time, whether it still answers; `messages` takes the answer."""
        if self.ready and self._heard >= self._pinged and now - self._pinged > ASKING:
            self._pinged = now
            with contextlib.suppress(OSError):
                self.channel.send(b"?")

    def is_stuck(self, now: float, patience: float) -> bool:
        """Whether it has left the question unanswered for longer than `patience` (seconds)."""
        return self._heard < self._pinged < now - patience

    def lines(self) -> list[str]:
        """Return the whole lines that the worker has printed since. Not all together: what scripts
        write is among them, and may never end.
        """
        found: list[str] = []
        for output, kept in zip(self.outputs, self._lines, strict=True):
            with contextlib.suppress(BlockingIOError):
                for _ in range(AT_ONCE):
                    data = os.read(output.fileno(), 65_536)
                    if not data:
                        break
                    kept += data
            *lines, rest = bytes(kept).split(b"\n")
            kept[:] = rest[-65_536:]
            found += [line.decode("utf-8", "backslashreplace") for line in lines]
        return found

    def drain(self, *, replaced: bool = False) -> None:
        """Tell the worker to answer what it has, then to end. If it is `replaced`, another one gets the
        connections that the web server keeps open.
        """
        if not (self.draining and replaced):
            self.draining = True
            self.process.send_signal(signal.SIGUSR1 if replaced else signal.SIGTERM)

    def signal_children(self, number: int) -> None:
        """Send a signal to the process groups of the scripts that run."""
        for pid in self._table.pids:
            # The number may have been reused: only the leader of a session has a session of that number
            with contextlib.suppress(ProcessLookupError, PermissionError):
                if pid > 1 and os.getsid(pid) == pid:
                    os.killpg(pid, number)

    def kill(self) -> None:
        """End the worker now, even if it is stopped."""
        self.killed_at = self.killed_at or time.monotonic()
        self.process.kill()
        self.forking.kill()

    def finish(self, now: float) -> bool:
        """End what a worker that has ended has left: no script outlives the process that could end it.
        False while something is left: call again. It never waits.
        """
        if not self._ended_at:
            self._ended_at = now
            self.signal_children(signal.SIGKILL)
        # The zygote ends with the socket between them, unless it is stopped, or hangs
        if self.process.returncode or now - self._ended_at > ENDING:
            self.forking.kill()
        lasts = now - self._ended_at < 2 * ENDING  # after that the kernel does not let it go
        if (self.process.poll() is None or self.forking.poll() is None) and lasts:
            return False
        self.signal_children(signal.SIGKILL)  # what was forked meanwhile
        self.channel.close()
        for output in self.outputs:
            output.close()
        return True

    def close(self) -> None:
        """Kill both processes, and wait for their end, within bounds."""
        self.kill()
        for process in (self.process, self.forking):
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(ENDING)
        self._ended_at = self._ended_at or time.monotonic() - 2 * ENDING
        self.finish(self._ended_at + 2 * ENDING)


def _interpreter(
    role: str, fds: tuple[int, ...], environment: Mapping[str, str]
) -> "subprocess.Popen[bytes]":
    """Start a worker or a zygote with descriptors, whose numbers are its arguments."""
    # The new process inherits the mask
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, _STRAY[role])
    try:
        process = subprocess.Popen(  # noqa: S603 -- our own interpreter
            [sys.executable, "-c", _CODE.format(role), _PACKAGE, *map(str, fds)],
            # Pipes, as a web server's scripts have: streams remember whether they can seek
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**environment, **BIND_NOW},
            pass_fds=fds,
            cwd="/",
            process_group=0,  # what a terminal sends (Ctrl-C) is for the supervisor alone
            bufsize=0,
        )
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    _pipe(process.stdin).close()
    os.set_blocking(_pipe(process.stdout).fileno(), False)
    return process


def _pipe(stream: "IO[bytes] | None") -> "IO[bytes]":
    """Return a stream that was asked for."""
    if stream is None:
        raise TypeError("the process was started without this pipe")
    return stream
