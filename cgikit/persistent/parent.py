"""Internal. The process that keeps workers running: starts them, starts them again, ends them.

An error in its loop goes to the log under an incident number, and the loop goes on: without their
parent all workers would end.
"""

import gc
import os
import signal
import sys
from contextlib import suppress
from time import monotonic

from ..debug import log, new_incident
from ..gateway.handover import Handover

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

_ENDING = {signal.SIGTERM, signal.SIGUSR1, signal.SIGINT}
_GRACE = 30  # seconds for the request in hand before a worker is killed
_SETTLED = 10  # seconds: a worker that lived longer was not broken from the start
_PAUSES = (0.1, 0.3, 1.0, 3.0, 10.0)  # seconds before the next of several that break at once


class Parent:
    """Keeps `count` workers running: each calls `work(requests, pipe, open, handover)`, then ends.

    The pipe ends when this process does, however it is ended: no worker outlives it for long. `open`
    are the connections that the worker before has left to `handover`. `listener` is what workers accept
    from; it is closed here when the end begins, as each worker does.
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
        self._open: list[socket.socket] = []  # that workers have left
        self._workers: dict[int, tuple[int, float]] = {}  # by pid: its place, and when it began
        self._broken = 0  # workers that ended too early, in succession
        self._again = 0.0  # when the next may be started
        self._killing = 0.0  # when those that do not end are killed; 0 while there is no end
        self._pid = os.getpid()

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
                self._safely(self._start, mask)
                self._safely(self._wait)
                for pid in [*self._workers]:
                    self._safely(self._look_at, pid)
        finally:
            self._close()
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    def _safely(self, call: "Callable[..., None]", *arguments: object) -> None:
        """Do one thing of the loop. An error in it is logged; in a worker it ends that one."""
        try:
            call(*arguments)
        except Exception as error:
            with suppress(Exception):  # as where memory is short
                log(error, new_incident())
            if os.getpid() != self._pid:
                raise SystemExit(1) from None
            self._delay()  # what fails each time must not do so without a pause

    def _wait(self) -> None:
        """Wait for a signal, or until there is something to do, and do what it asks for."""
        found = signal.sigtimedwait({*_ENDING, signal.SIGCHLD}, self._pause())
        if found is not None and found.si_signo in _ENDING:
            self._end(signal.SIGTERM)
        elif self._killing and monotonic() > self._killing:
            self._end(signal.SIGKILL)

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
                _say(f"no worker can be started: {error.strerror}")
                self._delay()
                return
            if not pid:
                os.close(self._writer)
                signal.pthread_sigmask(signal.SIG_SETMASK, mask)
                # Not all at once: one after the other leaves, and is started again.
                early = self._requests * place // (4 * self._count)
                self._work(self._requests - early, self._reader, self._open, self._handover)
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
        pause = max(0.0, self._killing - now) if self._killing else 3_600.0
        if now < self._again:  # after an error there may be something to do that no signal tells of
            return min(pause, self._again - now)
        return pause if self._killing or len(self._workers) == self._count else 0.0

    def _end(self, number: int) -> None:
        """Have the workers end, by a signal. Those that are stopped heed KILL alone."""
        self._killing = monotonic() + _GRACE
        self._listener.close()
        for pid in self._workers:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, number)

    def _look_at(self, pid: int) -> None:
        """Take note of a worker that has ended, or was stopped."""
        code = None
        try:
            found, status = os.waitpid(pid, os.WNOHANG | os.WUNTRACED)
            if not found:
                return
            if os.WIFSTOPPED(status):
                number = os.WSTOPSIG(status)
                _say(
                    f"worker {pid} was stopped by signal {number}: it answers nothing until SIGCONT"
                )
                return
            code = os.waitstatus_to_exitcode(status)
        except ChildProcessError:
            pass  # other code of this process has waited for it
        _, began = self._workers.pop(pid)
        if code != 0 and not self._killing:
            if monotonic() - began < _SETTLED:
                self._delay()
            else:
                self._broken = 0
            _say(f"worker {pid} {_how(code)}; another takes its place")
        while left := self._handover.receive():
            self._open += left

    def _delay(self) -> None:
        self._again = monotonic() + _PAUSES[min(self._broken, len(_PAUSES) - 1)]
        self._broken += 1


def _how(code: int | None) -> str:
    """Say how a worker has ended, by its exit code as `subprocess` has it, or None."""
    if code is None:
        return "has ended, and other code of this process took its status"
    return f"was killed by signal {-code}" if code < 0 else f"ended with status {code}"


def _say(line: str) -> None:
    try:
        if sys.stderr is not None:
            print(f"cgikit: {line}", file=sys.stderr, flush=True)  # noqa: T201
    except (OSError, ValueError):
        pass  # it is closed
