"""One worker: an event loop that takes requests from a web server and has a process run each.

Only the dealing is here: what is ready, which request may run its script, what is out of date, and when
to stop. Connections are in `connections.py`, what a request goes through is in `exchange.py`, the bytes
on the connection are in `cgikit.gateway`. Processes are forked by `zygote.py`, which is a process of
its own: after a fork each page of memory that is written to has to be copied, here too.

A worker and its zygote are started by `supervisor.py`, each as a fresh interpreter: processes that were
forked from one another would wait for each other at every fork, inside the kernel. One thread, no
locks.
"""

import gc
import marshal
import mmap
import os
import select
import signal
import socket
import sys
import time
from contextlib import suppress
from functools import partial

from cgikit.gateway.handover import Handover

from ..host.background import Background
from ..host.guard import Guard
from ..host.problem import Problem
from ..host.refusals import Refusals
from .acceptor import Acceptor
from .allowlist import Allowlist
from .connections import Connections
from .exchange import Exchange
from .loglines import LogLines
from .program import Program, Programs
from .settings import Settings
from .staleness import Held, Staleness
from .zygote import SLOTS, TABLE, exactly
from .zygoteclient import ZygoteClient

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..host.guard import Ends

IN = select.POLLIN
TICK = 0.2  # seconds between looks at what takes too long
TELLING = 5.0  # seconds in which the supervisor has to take a message
STARTING = 120.0  # seconds for the zygote to become ready; a supervisor that lives gives up earlier
MAX_LOGGED_ONCE = 1_000  # lines of which it is remembered that they were logged


class Worker:
    """The event loop over a listening socket. `channel` leads to the supervisor, `handover` to the
    other workers.
    """

    def __init__(
        self,
        listener: socket.socket,
        channel: socket.socket,
        zygote: socket.socket,
        handover: Handover,
        settings: Settings,
        held: dict[str, Held],
        table: mmap.mmap,
    ) -> None:
        self.settings = settings
        self.log = LogLines()  # standard error, which the supervisor reads
        self.guarded = Guard(self.log, self.give_up)
        self.zygote = ZygoteClient(zygote, table, self._learn, self.guarded, settings.patience)
        self.channel = channel
        self.connections = Connections(self)
        self.acceptor = Acceptor(self, listener, handover, settings.peers, self.connections.begin)
        self.programs = Programs(os.environ.get("PATH", os.defpath))
        self.staleness = Staleness(held, sys.path[1:])
        self.base = dict(os.environ)
        self.allowed = Allowlist(settings.pass_on, self.base)
        self.now = time.monotonic()
        self.stale = ""
        self.draining = False
        self.exchanges: set[Exchange] = set()  # those that run a child
        self.queue: list[Exchange] = []  # those that wait for one to end
        self.null = os.open(os.devnull, os.O_RDWR)
        self.single = not os.path.isdir(settings.root)
        self.verdicts: dict[bytes, tuple[bytes, int | None]] = {}
        self._learnt: set[str] = set()
        self._said: set[str] = set()
        self.refusals = Refusals()
        self.background = Background()
        self._poll = select.poll()
        self._handlers: dict[int, tuple[Ends, Callable[[int], None]]] = {}
        self._watched: set[int] = set()  # since the poll whose events are being dealt with
        self._held: set[Exchange] = set()
        self._ticked = self.now

    # --- the loop -----------------------------------------------------------------------------

    def run(self) -> int:
        """Serve until told to stop and everything in hand is answered. Return the exit status."""
        self._obey_signals()
        self.watch(self.channel.fileno(), IN, self._on_channel, self.give_up)
        self.watch(self.zygote.sock.fileno(), IN, self._on_zygote, self.give_up)
        self.acceptor.open()
        gc.collect()
        gc.freeze()
        self.report(("ready",))
        # A script may go on after its answer: it is not cut short for a reload
        while not (self.draining and not self.connections and not self.exchanges):
            self.guarded(self.give_up, self._turn)
        return 0

    def _turn(self) -> None:
        """Wait for what happens next, and deal with it."""
        busy = self.connections or self.zygote
        timeout = 1 if self._held else 200 if busy else 5_000
        self._watched.clear()
        events = self._poll.poll(timeout)
        self.now = time.monotonic()  # after a wait of seconds, from which all times count
        for fd, mask in events:
            found = self._handlers.get(fd)
            # None: closed by what an earlier event did. Watched since: closed by that as well, and its
            # number is now another one's, who would wait for bytes that are not there
            if found is not None and fd not in self._watched:
                self.guarded(*found, mask)
        self.now = time.monotonic()
        if self._held:
            self._release()
        if self.now - self._ticked > TICK:
            self._tick()
        while self.zygote.has_news:
            self._on_zygote(IN)

    def watch(self, fd: int, mask: int, handler: "Callable[[int], None]", ends: "Ends") -> None:
        """Call `handler` with what has happened on a descriptor. If it raises, `ends` is called for
        what it is about: one exchange, one connection, or, on a channel that several share, this
        worker (`give_up`).
        """
        self._handlers[fd] = ends, handler
        self._watched.add(fd)
        self._poll.register(fd, mask)

    def rewatch(self, fd: int, mask: int) -> None:
        """Change what a descriptor is watched for."""
        self._poll.modify(fd, mask)

    def unwatch(self, fd: int) -> None:
        """Forget a descriptor."""
        if self._handlers.pop(fd, None) is not None:
            self._poll.unregister(fd)

    def _obey_signals(self) -> None:
        """Let SIGTERM (it is the end) and SIGUSR1 (another worker takes over) wake the loop: in the
        handler, anything may be half done.
        """
        self._woken, self._waker = os.pipe()
        os.set_blocking(self._waker, False)
        signal.set_wakeup_fd(self._waker, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGUSR1):
            signal.signal(number, lambda number, frame: None)
        self.watch(self._woken, IN, self._on_signal, self.give_up)

    def _on_signal(self, mask: int) -> None:
        self._drain(leaving=signal.SIGTERM not in os.read(self._woken, 64))

    def _drain(self, leaving: bool) -> None:
        """Take no more than what has come; it is answered. On a connection that waits for a request one
        may be on its way: another worker gets it, or it gets a moment (see `connections.py`).
        """
        self.acceptor.end(leaving)
        self.draining = True
        for connection in self.connections:
            if connection.exchange is None:
                ends = partial(self.connections.crashed, connection)
                self.guarded(ends, self.connections.leave, connection)

    def _on_channel(self, mask: int) -> None:
        try:
            asked = self.channel.recv(64, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        except OSError:
            asked = b""
        if asked:  # whether this worker is there
            self.report(("here",))
            return
        # Its end of the socket closes when the supervisor dies; then there is nobody to end this worker
        self.unwatch(self.channel.fileno())
        self._drain(leaving=False)

    def give_up(self, incident: str = "") -> None:
        """End this worker now; whoever waits for an answer is told. Does not return.

        After an error on a channel that several share nobody knows whose the next message is: no
        answer may reach another request. The supervisor ends the zygote, and starts both again.
        """
        try:
            number = f" (incident {incident})" if incident else ""
            problem = Problem(
                503, f"A part of the server had to end{number}.", headers=(("Retry-After", "5"),)
            )
            for connection in self.connections:
                self.connections.give_up(connection, problem)
        finally:
            os._exit(1)

    def report(self, message: "tuple[Any, ...]") -> None:
        """Send a message to the supervisor. If it takes none for so long that they fill the socket, it
        is taken for gone.
        """
        data = marshal.dumps(message)
        try:
            self.channel.sendall(len(data).to_bytes(4, "big") + data)
        except OSError:
            with suppress(OSError):  # part of it may be out: nothing can follow it
                self.channel.shutdown(socket.SHUT_RDWR)

    # --- children -----------------------------------------------------------------------------

    def hold(self, exchange: Exchange) -> None:
        """Wait a moment for the end of an answer that has begun."""
        self._held.add(exchange)

    def _release(self) -> None:
        held, self._held = self._held, set()
        for exchange in held:
            self.guarded(exchange.crashed, exchange.look_again)

    def admit(self, exchange: Exchange) -> bool:
        """Whether a request may start its script now; it is queued if not. False also when even
        the queue is full: then it has been refused.
        """
        if self._has_room():
            return True
        if len(self.queue) < self.settings.queue:
            self.queue.append(exchange)
        else:
            exchange.refuse("too many requests wait already")
        return False

    def has_plenty(self) -> bool:
        """Whether half of the places would stay free if one more script were started."""
        return 2 * (len(self.exchanges) + 1) <= self.settings.children

    def _has_room(self) -> bool:
        # Children that have left and are not reaped yet have their slots still
        return len(self.exchanges) < self.settings.children and len(self.zygote) < SLOTS

    def _on_zygote(self, mask: int) -> None:
        if not self.zygote.receive():
            what = self.zygote.lost or "has ended"
            self.log(f"the process that forks {what}: it is replaced, and so is this worker")
            self.give_up()
        self._start_next()

    def _start_next(self) -> None:
        while self.queue and self._has_room():
            exchange = self.queue.pop(0)
            self.guarded(exchange.crashed, exchange.start)

    def forget(self, exchange: Exchange) -> None:
        """Count an exchange no more: an error has ended it."""
        self._held.discard(exchange)
        self.exchanges.discard(exchange)
        if exchange in self.queue:
            self.queue.remove(exchange)

    def ended(self, exchange: Exchange) -> None:
        """Let the next request start its script: this one's has ended."""
        self._held.discard(exchange)
        self.exchanges.discard(exchange)
        self._start_next()

    def program_for(self, file: str) -> Program | None:
        """Return a script that can run warm, or None where it needs an interpreter of its own."""
        try:
            program = self.programs.get(file, os.stat(file))
        except OSError:
            return None  # it went away: starting it says so
        if program.warm:
            if self.must_start_cold():
                return None
            hiding = self.staleness.hidden_by(program)
            if not hiding:
                return program
            self.cold(file, f"{hiding} hides a module")
        else:
            self.cold(file, program.why)
        return None

    def must_start_cold(self) -> bool:
        """Whether what this worker holds ready is out of date; the supervisor is told once."""
        if not self.stale and self.settings.warm:
            self.stale = self.staleness.stale()
            if self.stale:
                self.report(("stale", self.stale))
        return bool(self.stale)

    def _learn(self, names: list[str]) -> None:
        """Pass on what a child had to import."""
        new = [name for name in names if name not in self._learnt]
        if new:
            self._learnt.update(new)
            self.report(("learnt", new))

    def report_dropped(self) -> None:
        """Say which variables of the web server no script gets."""
        names, self.allowed.dropped = self.allowed.dropped, []
        self.report(("dropped", names))

    def cold(self, file: str, why: str) -> None:
        """Log, once, why a script does not run warm. Other languages need no reason."""
        if why and "not a Python" not in why:
            self.log_once(f"{file} runs in an interpreter of its own: {why}")

    def log_once(self, line: str) -> None:
        """Log what would come back with every request, the first time."""
        if line not in self._said:
            if len(self._said) < MAX_LOGGED_ONCE:
                self._said.add(line)
            self.log(line)

    def _tick(self) -> None:
        self._ticked = self.now
        self.zygote.reap_rest()
        self.zygote.look_at_clock()
        for exchange in list(self.exchanges):
            self.guarded(exchange.crashed, exchange.tick)
        late = "no script ended in time to make room for it"
        for exchange in list(self.queue):
            if self.now - exchange.asked > self.settings.timeout:
                self.queue.remove(exchange)
                self.guarded(exchange.crashed, exchange.refuse, late)
        self.connections.tick()


def main() -> int:
    """Run a worker. Its words are the descriptors of its channel to the supervisor, of the listening
    socket, of the socket to its zygote, of both ends of the way to the other workers, and of the table.
    Return the exit status.
    """
    os.environ.pop("LD_BIND_NOW", None)
    fds = [int(word) for word in sys.argv[1:]]
    for fd in fds:
        os.set_inheritable(fd, False)
    channel, listener, zygote, inbox, outbox = (socket.socket(fileno=fd) for fd in fds[:5])
    channel.settimeout(TELLING)
    zygote.settimeout(STARTING)
    table = mmap.mmap(fds[5], TABLE)
    os.close(fds[5])
    size = int.from_bytes(exactly(channel, 4), "big")
    settings = Settings(**marshal.loads(exactly(channel, size)))  # noqa: S302 -- our parent's
    try:
        size = int.from_bytes(exactly(zygote, 4), "big")
        data = exactly(zygote, size)
    except SystemExit:
        LogLines()("the process that forks ended before it was ready: it is started again")
        raise
    held, failed, refused, absent = marshal.loads(data)  # noqa: S302 -- our sibling's
    zygote.setblocking(True)
    worker = Worker(listener, channel, zygote, Handover(inbox, outbox), settings, held, table)
    for line in failed:
        worker.log(f"not preloaded: {line}")
    if refused:
        worker.report(("refused", refused))
    if absent:
        worker.report(("absent", absent))
    return worker.run()
