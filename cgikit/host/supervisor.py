"""The parent of the workers: starts them, replaces them, and sees that nothing is left behind.

It holds the listening socket for as long as it lives, so that requests wait instead of being refused
while workers change. It starts every worker as an interpreter of its own (see `worker.py`), hands it
what was learnt, and replaces it when a library has changed, when something new was learnt, or when it
died. No request passes through here.
"""

import contextlib
import os
import select
import signal
import socket
import time
from collections.abc import Callable, Mapping
from typing import Any

from cgikit.gateway.kept import Kept

from .settings import Settings
from .text import one_line
from .workerprocess import WorkerProcess

RESTART = 0.5  # seconds until a worker that died at once is started again; doubled each time
RESTART_MOST = 30.0
ATTEMPTS = 4  # workers that end before any was ready, and the supervisor gives up
SETTLED = 5.0  # seconds after which the end of a worker is taken for an accident
SETTLE = 0.3  # seconds in which nothing new is learnt, before workers are replaced for it
MAX_LEARNING = 50  # replacements for what was learnt, in the life of a supervisor
MOST_LEARNT = 2_000  # names of modules
MOST_ABSENT = 3  # times that a learnt module may be away when it is wanted
STARTING = 60.0  # seconds for a worker to become ready


class Supervisor:
    """Workers over one listening socket.

    `environment` is what scripts get beside the meta-variables. `log` takes one line an event.
    `started` is called once, when the first worker is ready.
    """

    def __init__(
        self,
        listener: socket.socket,
        settings: Settings,
        *,
        workers: int,
        environment: Mapping[str, str],
        log: Callable[[str], None],
        started: Callable[[], None] = lambda: None,
    ) -> None:
        # Handed over as descriptor 0, it would be replaced by a worker's own standard input
        self.listener = listener if listener.fileno() > 2 else listener.dup()
        self._kept = Kept.pair()
        self.settings = settings
        self.count = workers
        self.environment = dict(environment)
        self.log = log
        self._started = started
        self._generation = 0
        self._workers: list[WorkerProcess] = []
        self._learnt: dict[str, None] = {}
        self._absent: dict[str, int] = {}
        self._learn_at = 0.0
        self._learnings = 0
        self._wait_until = 0.0
        self._failures = 0  # workers in a row that ended soon after their start
        self._was_ready = False
        self._asked: list[str] = []
        self._draining = False
        self._end_at = 0.0
        self._wake, self._waker = os.pipe()
        for fd in (self._wake, self._waker):
            os.set_blocking(fd, False)

    # --- from signal handlers and other threads --------------------------------------------------

    def reload(self) -> None:
        """Replace all workers; every request that has come is answered."""
        self._ask("reload")

    def drain(self) -> None:
        """Answer what has come, then end."""
        self._ask("drain")

    def stop(self) -> None:
        """End now: scripts get TERM, then, after their grace, KILL."""
        self._ask("stop")

    def _ask(self, what: str) -> None:
        self._asked.append(what)
        with contextlib.suppress(OSError):  # full: it will wake anyway
            os.write(self._waker, b"\0")

    # --- the loop -----------------------------------------------------------------------------

    def run(self) -> int:
        """Serve until `drain` or `stop`. Return the exit status: 1 if no worker could be started."""
        try:
            while not (self._draining and not self._workers):
                self._fill()
                self._wait()
                for worker in list(self._workers):
                    self._look_at(worker)
                self._obey()
                self._learn()
                if not self._was_ready and not self._draining and self._failures >= ATTEMPTS:
                    self.log("no worker becomes ready; what they said is above")
                    return 1
        finally:
            for worker in self._workers:
                worker.kill()
                worker.close()
            os.close(self._wake)
            os.close(self._waker)
            self._kept.close()
        return 0

    def _wait(self) -> None:
        poll = select.poll()
        poll.register(self._wake, select.POLLIN)
        for worker in self._workers:
            poll.register(worker.channel.fileno(), select.POLLIN)
            for output in worker.outputs:
                poll.register(output.fileno(), select.POLLIN)
        soon = self._learn_at or self._wait_until or self._draining
        poll.poll(50 if soon else 1_000)
        with contextlib.suppress(BlockingIOError):
            os.read(self._wake, 4_096)

    def _fill(self) -> None:
        """Start the workers that are missing."""
        if self._draining or time.monotonic() < self._wait_until:
            return
        self._wait_until = 0.0
        current = [w for w in self._workers if w.generation == self._generation and not w.draining]
        for _ in range(self.count - len(current)):
            self.settings.learnt = list(self._learnt)
            try:
                worker = WorkerProcess(
                    self._generation, self.listener, self._kept, self.environment, self.settings
                )
            except OSError as error:
                self.log(f"a worker cannot be started: {error.strerror}")
                self._later()
                return
            self._workers.append(worker)

    def _later(self) -> None:
        pause = RESTART * 2 ** min(self._failures, 10)
        self._wait_until = time.monotonic() + min(pause, RESTART_MOST)
        self._failures += 1

    def _look_at(self, worker: WorkerProcess) -> None:
        status = worker.process.poll()  # first: what it said before it ended is read below
        for line in worker.lines():
            self.log(one_line(line, 40_000))
        for message in worker.messages():
            self._hear(worker, message)
        if status is None:
            if not worker.ready and time.monotonic() - worker.started > STARTING:
                self.log("a worker did not become ready and was ended")
                worker.kill()
            return
        self._workers.remove(worker)
        worker.close()
        if not worker.draining and not self._draining:
            how = f"signal {-status}" if status < 0 else f"status {status}"
            self.log(f"a worker ended with {how} and is replaced")
            if time.monotonic() - worker.started < SETTLED:
                self._later()
            else:
                self._failures = 0

    def _hear(self, worker: WorkerProcess, message: tuple[Any, ...]) -> None:
        kind = message[0]
        if kind == "ready":
            worker.ready = self._was_ready = True
            self._replace()
            self._started()
            self._started = lambda: None
        elif kind == "stale" and worker.generation == self._generation:
            self.log(f"{message[1]} has changed: the workers are replaced")
            self._generation += 1
        elif kind == "absent":
            for name in message[1]:  # it may be back, and be learnt again; not for ever
                self._absent[name] = self._absent.get(name, 0) + 1
                self._learnt.pop(name, None)
        elif kind == "learnt":
            new = [
                name
                for name in message[1]
                if name not in self._learnt and self._absent.get(name, 0) < MOST_ABSENT
            ]
            if new and self._learnings < MAX_LEARNING and len(self._learnt) < MOST_LEARNT:
                self._learnt.update(dict.fromkeys(new))
                self._learn_at = time.monotonic() + SETTLE

    def _replace(self) -> None:
        """Drain one worker of an older generation for each new one that is ready."""
        old = [w for w in self._workers if w.generation < self._generation and not w.draining]
        ready = [w for w in self._workers if w.generation == self._generation and w.ready]
        excess = len(old) + len(ready) - self.count
        for worker in old[: max(0, excess)]:
            worker.drain(replaced=True)

    def _learn(self) -> None:
        if self._learn_at and time.monotonic() > self._learn_at:
            self._learn_at = 0.0
            self._learnings += 1
            self._generation += 1

    def _obey(self) -> None:
        asked, self._asked = self._asked, []
        for what in asked:
            if what == "reload":
                self.log("reloading")
                self._learnings = 0
                self._generation += 1
            elif what == "drain" and not self._draining:
                self._draining = True
                for worker in self._workers:
                    worker.drain()
            elif what == "stop":
                self._draining = True
                for worker in self._workers:
                    worker.drain()
                    worker.signal_children(signal.SIGTERM)
                self._end_at = self._end_at or time.monotonic() + self.settings.grace
        if self._end_at and time.monotonic() > self._end_at:
            for worker in self._workers:
                worker.kill()
                worker.signal_children(signal.SIGKILL)
