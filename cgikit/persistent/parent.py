"""Internal. The parent process of the workers: it starts, restarts and ends them.

An error in its loop is logged under an incident number and does not end the loop: without their parent
all workers would end.
"""

import gc
import os
import signal
import sys
from contextlib import suppress
from time import monotonic

from .. import process
from ..debug import log, new_incident
from ..gateway.handover import Handover

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

_ENDING = {signal.SIGTERM, signal.SIGUSR1, signal.SIGINT}
_GRACE = 30  # seconds for the current request before a worker is killed
_HEALTHY = 10  # seconds: a worker that ran longer did not fail at its start
_PAUSES = (0.1, 0.3, 1.0, 3.0, 10.0)  # seconds before a restart, after several early failures


class Parent:
    """Keeps `count` workers running. Each calls `work(requests, pipe, open, handover)` and then ends.

    `pipe` reaches its end when the parent dies for any reason, so no worker outlives it for long.
    `open` are the connections that the previous worker has left in `handover`. `listener` is the socket
    on which workers accept; parent and workers close it when the end begins.
    """

    def __init__(
        self,
        count: int,
        requests: int,
        work: "Callable[[int, int, list[socket.socket], Handover], None]",
        listener: "socket.socket",
    ) -> None:
        self._count = count
        self._requests = requests
        self._work = work
        self._listener = listener
        self._handover = Handover.pair()
        self._open: list[socket.socket] = []  # connections that workers have left
        self._workers: dict[int, tuple[int, float]] = {}  # by pid: its place and its start time
        self._failures = 0  # how many workers in succession ended too early
        self._restart = 0.0  # when the next worker may be started
        self._killing = 0.0  # when workers that have not ended are killed; 0 while running
        self._pid = os.getpid()

    def run(self) -> None:
        """Return after SIGTERM, SIGUSR1 or SIGINT, when all workers have ended. In a worker, end by
        `SystemExit`.
        """
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # if it is ignored, waitpid finds nothing
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, {*_ENDING, signal.SIGCHLD})
        self._reader, self._writer = os.pipe()
        gc.collect()
        gc.freeze()  # otherwise the first collection in each worker copies everything they share
        try:
            while self._workers or not self._killing:
                self._safely(self._start, mask)
                self._safely(self._wait)
                for pid in [*self._workers]:
                    self._safely(self._look_at, pid)
        finally:
            self._close()
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    def _safely(self, call: "Callable[..., None]", *arguments: object) -> None:
        """Do one step of the loop. An error in it is logged; in a worker it ends that worker."""
        try:
            call(*arguments)
        except Exception as error:
            with suppress(Exception):  # such as `MemoryError`
                log(error, new_incident())
            if os.getpid() != self._pid:
                raise SystemExit(1) from None
            self._delay()  # a step that fails every time must not do so without a pause

    def _wait(self) -> None:
        """Wait for a signal or until something is due, and act on it."""
        found = signal.sigtimedwait({*_ENDING, signal.SIGCHLD}, self._pause())
        if found is not None and found.si_signo in _ENDING:
            self._end(signal.SIGTERM)
        elif self._killing and monotonic() > self._killing:
            self._end(signal.SIGKILL)

    def _start(self, mask: "set[signal.Signals | int]") -> None:
        places = {*range(self._count)} - {place for place, _ in self._workers.values()}
        if self._killing or monotonic() < self._restart:
            return
        for place in sorted(places):
            if sys.stdout is not None:
                sys.stdout.flush()  # otherwise both processes would write the content of the buffer
            try:
                pid = os.fork()
            except OSError as error:
                _say(f"cannot start a worker: {error.strerror}")
                self._delay()
                return
            if not pid:
                os.close(self._writer)
                signal.pthread_sigmask(signal.SIG_SETMASK, mask)
                # Staggered, so the workers are not all replaced at the same time.
                early = self._requests * place // (4 * self._count)
                self._work(self._requests - early, self._reader, self._open, self._handover)
                raise SystemExit(0)
            self._workers[pid] = place, monotonic()
            self._close()

    def _close(self) -> None:
        """Close the parent's ends of connections that a worker got when it was forked, or that no
        worker takes.
        """
        for connection in self._open:
            connection.close()
        self._open.clear()

    def _pause(self) -> float:
        """Return how long to wait for signals (seconds)."""
        now = monotonic()
        pause = max(0.0, self._killing - now) if self._killing else 3_600.0
        if now < self._restart:  # no signal comes when a restart is due
            return min(pause, self._restart - now)
        return pause if self._killing or len(self._workers) == self._count else 0.0

    def _end(self, number: int) -> None:
        """End the workers by a signal. Only KILL ends those that are stopped."""
        self._killing = monotonic() + _GRACE
        self._listener.close()
        for pid in self._workers:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, number)

    def _look_at(self, pid: int) -> None:
        """Find out whether a worker has ended or was stopped."""
        code = None
        try:
            found, status = os.waitpid(pid, os.WNOHANG | os.WUNTRACED)
            if not found:
                return
            if os.WIFSTOPPED(status):
                number = os.WSTOPSIG(status)
                _say(
                    f"worker {pid} was stopped by signal {number}; it answers nothing until SIGCONT"
                )
                return
            code = os.waitstatus_to_exitcode(status)
        except ChildProcessError:
            pass  # other code in this process has waited for it
        _, began = self._workers.pop(pid)
        if code != 0 and not self._killing:
            if monotonic() - began < _HEALTHY:
                self._delay()
            else:
                self._failures = 0
            _say(f"worker {pid} {_how(code)}; another takes its place")
        while left := self._handover.receive():
            self._open += left

    def _delay(self) -> None:
        self._restart = monotonic() + _PAUSES[min(self._failures, len(_PAUSES) - 1)]
        self._failures += 1


def _how(code: int | None) -> str:
    """Say how a worker has ended, by its exit code (as in `subprocess`, or None if it is unknown)."""
    if code is None:
        return "has ended, but other code in this process took its exit status"
    return f"was killed by signal {-code}" if code < 0 else f"ended with status {code}"


def _say(line: str) -> None:
    process.write_log(f"cgikit: {line}\n")
