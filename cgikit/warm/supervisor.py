"""The parent of the workers: starts them, replaces them, and sees that nothing is left behind.

It keeps the listening socket open as long as it lives, so requests wait instead of being refused
while workers are replaced. It starts every worker as an interpreter of its own (see `worker.py`), tells
it which modules scripts were seen to import, and replaces it when a library has changed, when another
such module was learnt, or when the worker has died. No request passes through here.
"""

import contextlib
import os
import select
import signal
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from cgikit.gateway.handover import Handover
from cgikit.gateway.listener import Listener

from ..host.guard import Guard
from ..host.logtext import one_line
from .allowlist import MAX_DROPPED, complaint
from .preload import MAX_LEARNT
from .restarts import Restarts
from .settings import Settings
from .workerprocess import WorkerProcess

ATTEMPTS = 4  # workers that end before any was ready, after which the supervisor gives up
SETTLE = 0.3  # seconds without anything new, before workers are replaced for what was learnt
MAX_LEARNING = 50  # replacements for what was learnt, in the life of a supervisor
MAX_ABSENT = 3  # times that a learnt module may be missing when it is to be preloaded
STARTING = 60.0  # seconds for a worker to become ready
STUMBLING = 0.2  # seconds of pause after an error of our own


class Supervisor:
    """Workers over one listening socket.

    `environment` is what scripts get beside the meta-variables. `log` takes one line per event.
    `started` is called once, when the first worker is ready.
    """

    def __init__(
        self,
        listener: Listener,
        settings: Settings,
        *,
        workers: int,
        environment: Mapping[str, str],
        log: Callable[[str], None],
        started: Callable[[], None] = lambda: None,
    ) -> None:
        self._given = listener
        # As descriptor 0 it would be replaced by a worker's own standard input
        self.listener = listener if listener.fileno() > 2 else listener.dup()
        self._handover = Handover.pair()
        self.settings = settings
        self.count = workers
        self.environment = dict(environment)
        self.log = log
        self._started = started
        self._generation = 0
        self._workers: list[WorkerProcess] = []
        self._learnt: dict[str, None] = {}
        self._absent: dict[str, int] = {}
        self._refused: set[str] = set()  # modules and packages that are not tried again
        self._dropped: set[str] = set()  # variables of the web server, as far as they were logged
        self._learn_at = 0.0
        self._learnings = 0
        self._ended: list[WorkerProcess] = []  # of which something is left
        self._restarts = Restarts()
        self._missing = 0  # workers that ended and have not been replaced
        self._guard = Guard(log, lambda incident: None)
        self._was_ready = False
        self._asked: list[str] = []
        self._draining = False
        self._drained = 0.0  # when that began
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
        with contextlib.suppress(OSError):  # the pipe is full: the loop wakes anyway
            os.write(self._waker, b"\0")

    @property
    def is_settled(self) -> bool:
        """Whether all workers are ready, and have preloaded what was learnt so far (bool)."""
        current = self._current()
        return (
            not self._learn_at
            and len(current) == len(self._workers) == self.count
            and all(worker.ready for worker in current)
        )

    # --- the loop -----------------------------------------------------------------------------

    def run(self) -> int:
        """Serve until `drain` or `stop`. Return the exit status: 1 if no worker could be started."""
        try:
            while not (self._draining and not self._workers and not self._ended):
                self._guard(self._stumble, self._turn)
                hopeless = not self._was_ready and self._restarts.failures >= ATTEMPTS
                if hopeless and not self._draining:
                    self.log("no worker becomes ready; what they said is above")
                    return 1
        finally:
            for worker in self._workers + self._ended:
                worker.kill()
            for worker in self._workers + self._ended:
                worker.close()
            os.close(self._wake)
            os.close(self._waker)
            self._handover.close()
        return 0

    def _turn(self) -> None:
        """Wait for events and handle them. An error in a worker's messages ends that worker."""
        self._fill()
        self._wait()
        for worker in list(self._workers):
            self._guard(partial(self._end, worker), self._look_at, worker)
        now = time.monotonic()
        self._ended = [worker for worker in self._ended if not worker.finish(now)]
        self._obey()
        self._learn()

    def _stumble(self, incident: str) -> None:
        """Pause after an error, before going on: it may come again."""
        time.sleep(STUMBLING)

    def _wait(self) -> None:
        poll = select.poll()
        poll.register(self._wake, select.POLLIN)
        for worker in self._workers:
            poll.register(worker.channel.fileno(), select.POLLIN)
            for output in worker.outputs:
                poll.register(output.fileno(), select.POLLIN)
        soon = self._learn_at or self._missing or self._draining or self._ended
        poll.poll(50 if soon else 1_000)
        with contextlib.suppress(BlockingIOError):
            os.read(self._wake, 4_096)

    def _current(self) -> list[WorkerProcess]:
        """Return those that are to stay."""
        return [
            worker
            for worker in self._workers
            if worker.generation == self._generation
            and not worker.draining
            and not worker.killed_at
        ]

    def _fill(self) -> None:
        """Start the workers that are missing."""
        if self._draining:
            return
        wanted = self.count - len(self._current())
        self._missing = min(self._missing, max(0, wanted))
        for _ in range(wanted):
            now = time.monotonic()
            alone = not any(worker.ready and not worker.killed_at for worker in self._workers)
            # Those that were replaced on purpose do not count
            if self._missing and self._restarts.wait(now, alone=alone):
                return
            self.settings.learnt = list(self._learnt)
            try:
                worker = WorkerProcess(
                    self._generation, self.listener, self._handover, self.environment, self.settings
                )
            except OSError as error:
                self.log(f"a worker cannot be started: {error.strerror or error}")
                self._missing = wanted
                self._restarts.failed(now)
                return
            if self._missing:
                self._missing -= 1
                self._restarts.replaced(now)
            self._workers.append(worker)

    def _look_at(self, worker: WorkerProcess) -> None:
        status = worker.process.poll()  # first: what it wrote before its end is read below
        for line in worker.lines():
            self.log(one_line(line, 40_000))
        for message in worker.messages():
            self._hear(worker, message)
        now = time.monotonic()
        if status is None:
            self._look_at_clock(worker, now)
            return
        self._workers.remove(worker)
        if not worker.finish(now):
            self._ended.append(worker)
        if not worker.draining and not self._draining:
            detail = f"signal {-status}" if status < 0 else f"status {status}"
            self.log(f"a worker ended with {detail} and is replaced")
            self._missing += not worker.killed_at
            if not worker.ready:
                self._restarts.failed(now)

    def _look_at_clock(self, worker: WorkerProcess, now: float) -> None:
        """Kill a worker that is suspended or hangs: nobody else can."""
        patience = self.settings.patience
        if worker.killed_at:
            if now - worker.killed_at > patience:  # the kernel waits for a disk or a file system
                self.log(
                    f"process {worker.process.pid} of a worker cannot be killed; it is left alone"
                )
                self._workers.remove(worker)
                self._ended.append(worker)
            return
        worker.ask(now)
        # One that is not ready has no requests, and ends immediately by SIGTERM, unless it hangs
        starting = patience if self._draining else STARTING
        if not worker.ready and now - max(worker.started, self._drained) > starting:
            self.log("a worker did not become ready and was killed")
            self._end(worker)
        elif worker.is_stuck(now, patience):
            self.log(f"a worker has not answered for {patience:g} seconds and was killed")
            self._end(worker)

    def _end(self, worker: WorkerProcess, incident: str = "") -> None:
        """Kill a worker and its zygote; its scripts end with it, and another worker takes its place."""
        worker.kill()
        self._missing += 1

    def _hear(self, worker: WorkerProcess, message: tuple[Any, ...]) -> None:
        kind = message[0]
        if kind == "ready":
            worker.ready = self._was_ready = True
            self._restarts.succeeded()
            self._replace()
            self._started()
            self._started = lambda: None
        elif kind == "stale" and worker.generation == self._generation:
            self.log(f"{message[1]} has changed: the workers are replaced")
            self._generation += 1
            self._refused.clear()
        elif kind == "dropped":
            for name in message[1]:
                if name not in self._dropped and len(self._dropped) < MAX_DROPPED:
                    self._dropped.add(name)
                    self.log(complaint(name))
        else:
            self._hear_of_modules(kind, message[1])

    def _hear_of_modules(self, kind: str, names: Any) -> None:
        if kind == "refused":
            self._refuse(names)
        elif kind == "absent":
            for name in names:  # it may be back, and be learnt again; not for ever
                self._absent[name] = self._absent.get(name, 0) + 1
                self._learnt.pop(name, None)
        elif kind == "learnt":
            new = [
                name
                for name in names
                if name not in self._learnt
                and self._absent.get(name, 0) < MAX_ABSENT
                and not self._refused.intersection(above(name))
            ]
            if new and self._learnings < MAX_LEARNING and len(self._learnt) < MAX_LEARNT:
                self._learnt.update(dict.fromkeys(new))
                self._learn_at = time.monotonic() + SETTLE

    def _refuse(self, reasons: dict[str, str]) -> None:
        """Remember which modules are not to be preloaded, and log it once, for a package as a whole."""
        refused: dict[str, list[str]] = {}
        for name, why in reasons.items():
            self._learnt.pop(name, None)
            if not self._refused.intersection(above(name)) and not reasons.keys() & above(name)[1:]:
                refused.setdefault(why, []).append(name)
        if len(self._refused) < 2 * MAX_LEARNT:
            self._refused.update(reasons)
        for why, names in refused.items():
            more = f" and {len(names) - 10} more" if len(names) > 10 else ""
            self.log(f"not preloaded: {', '.join(names[:10])}{more}: {why}")

    def _replace(self) -> None:
        """Drain one worker of an older generation for each new worker that is ready."""
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

    def _stop_listening(self) -> None:
        """Accept no more connections. A client that connects from now on is refused, and can turn to
        another server, or to a successor that listens at the same address.
        """
        self._draining = True
        self._drained = self._drained or time.monotonic()
        self._given.remove()
        self.listener.close()

    def _obey(self) -> None:
        asked, self._asked = self._asked, []
        for what in asked:
            if what == "reload":
                self.log("reloading")
                self._refused.clear()
                self._learnings = 0
                self._restarts.succeeded()  # what was wrong may be right now
                self._generation += 1
            elif what == "drain" and not self._draining:
                self._stop_listening()
                for worker in self._workers:
                    worker.drain()
            elif what == "stop":
                self._stop_listening()
                for worker in self._workers:
                    worker.drain()
                    worker.signal_children(signal.SIGTERM)
                self._end_at = self._end_at or time.monotonic() + self.settings.grace
        if self._end_at and time.monotonic() > self._end_at:
            for worker in self._workers:
                worker.kill()
                worker.signal_children(signal.SIGKILL)


def above(name: str) -> list[str]:
    """Return a module's name, then those of the packages that it is in."""
    parts = name.split(".")
    return [".".join(parts[:end]) for end in range(len(parts), 0, -1)]
