"""Internal. The process that keeps workers running: starts them, starts them again, ends them."""

import gc
import os
import signal
import sys
from time import monotonic

from ..gateway.kept import Kept

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

_ENDING = {signal.SIGTERM, signal.SIGUSR1, signal.SIGINT}
_GRACE = 30  # seconds for the request in hand before a worker is killed
_SETTLED = 10  # seconds: a worker that lived longer was not broken from the start
_PAUSES = (0.1, 0.3, 1.0, 3.0, 10.0)  # seconds before the next of several that break at once


class Parent:
    """Keeps `count` workers running: each calls `work(requests, pipe, open, kept)` and ends after it.

    The pipe ends when this process does, however it is ended: no worker outlives it for long. `open`
    are the connections that the worker before has left to `kept`. `listener` is what workers accept
    from; it is closed here when the end begins, as each worker does.
    """

    def __init__(
        self,
        count: int,
        requests: int,
        work: "Callable[[int, int, list[socket.socket], Kept], None]",
        listener: "socket.socket",
    ) -> None:
        self._count = count
        self._requests = requests
        self._work = work
        self._listener = listener
        self._kept = Kept.pair()
        self._open: list[socket.socket] = []  # that workers have left
        self._workers: dict[int, tuple[int, float]] = {}  # by pid: its place, and when it began
        self._broken = 0  # workers that ended too early, in succession
        self._again = 0.0  # when the next may be started
        self._killing = 0.0  # when those that do not end are killed; 0 while there is no end

    def run(self) -> None:
        """Return after SIGTERM, SIGUSR1 or SIGINT, when all workers have ended; in a worker, leave by
        `SystemExit`.
        """
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # ignored, there would be nothing to wait for
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, {*_ENDING, signal.SIGCHLD})
        self._reader, self._writer = os.pipe()
        gc.collect()
        gc.freeze()  # or the first collection in each worker would copy all that they share
        try:
            while self._workers or not self._killing:
                self._start(mask)
                found = signal.sigtimedwait({*_ENDING, signal.SIGCHLD}, self._pause())
                if found is not None and found.si_signo in _ENDING:
                    self._end(signal.SIGTERM)
                elif self._killing and monotonic() > self._killing:
                    self._end(signal.SIGKILL)
                self._reap()
        finally:
            self._close()
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    def _start(self, mask: "set[signal.Signals | int]") -> None:
        places = {*range(self._count)} - {place for place, _ in self._workers.values()}
        if self._killing or monotonic() < self._again:
            return
        for place in sorted(places):
            if sys.stdout is not None:
                sys.stdout.flush()  # what is in its buffer would be written by both
            try:
                pid = os.fork()
            except OSError as error:
                _say(f"no worker can be started: {error}")
                self._delay()
                return
            if not pid:
                os.close(self._writer)
                signal.pthread_sigmask(signal.SIG_SETMASK, mask)
                # Not all at once: one after the other leaves, and is started again.
                early = self._requests * place // (4 * self._count)
                self._work(self._requests - early, self._reader, self._open, self._kept)
                raise SystemExit(0)
            self._workers[pid] = place, monotonic()
            self._close()

    def _close(self) -> None:
        """Close this process's own ends of what a worker was forked with, or nobody takes."""
        for connection in self._open:
            connection.close()
        self._open.clear()

    def _pause(self) -> float:
        """Return for how long there is nothing to do but wait for signals (seconds)."""
        now = monotonic()
        if self._killing:
            return max(0.0, self._killing - now)
        if len(self._workers) < self._count:
            return max(0.0, self._again - now)
        return 3_600.0

    def _end(self, number: int) -> None:
        self._killing = monotonic() + _GRACE
        for pid in self._workers:
            os.kill(pid, number)
        self._listener.close()

    def _reap(self) -> None:
        for pid in [*self._workers]:
            found, status = os.waitpid(pid, os.WNOHANG)
            if not found:
                continue
            while left := self._kept.take():
                self._open += left
            _, began = self._workers.pop(pid)
            code = os.waitstatus_to_exitcode(status)
            if code == 0 or self._killing:
                continue
            how = f"was killed by signal {-code}" if code < 0 else f"ended with status {code}"
            _say(f"worker {pid} {how}; another takes its place")
            if monotonic() - began < _SETTLED:
                self._delay()
            else:
                self._broken = 0

    def _delay(self) -> None:
        self._again = monotonic() + _PAUSES[min(self._broken, len(_PAUSES) - 1)]
        self._broken += 1


def _say(line: str) -> None:
    try:
        if sys.stderr is not None:
            print(f"cgikit: {line}", file=sys.stderr, flush=True)  # noqa: T201
    except (OSError, ValueError):
        pass  # it is closed
