"""One worker: takes requests from a web server and has a process run each.

This module puts the parts of a worker together, runs its loop, and speaks with the supervisor.
Connections are in `connections.py`, what a request goes through in `exchange.py`, whose turn it is in
`places.py`, and the bytes on a connection in `cgikit.gateway`. Processes are forked by `zygote.py`,
which is a process of its own: after a fork each page of memory that is written to has to be copied, in
the parent too.

A worker and its zygote are started by `supervisor.py`, each as a fresh interpreter: processes that were
forked from one another would wait for each other at every fork, inside the kernel. One thread, no
locks.
"""

import gc
import mmap
import os
import resource
import signal
import socket
import sys
from contextlib import suppress
from functools import partial

from cgikit.gateway.handover import Handover

from ..host.background import Background
from ..host.guard import Guard
from ..host.problem import Problem
from ..host.refusals import Refusals
from . import messages, slottable
from .connections import Connections
from .exchange import Exchange
from .kept import Keeper
from .launcher import Launcher
from .loglines import LogLines
from .loop import IN, Loop
from .places import Places
from .settings import Settings
from .slottable import SlotTable
from .zygoteclient import ZygoteClient

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .header import KnownBlocks
    from .staleness import Held

TICK = 0.2  # seconds between looks at what takes too long
TELLING = 5.0  # seconds in which the supervisor has to take a message
STARTING = 120.0  # seconds for the zygote to become ready; a supervisor that lives gives up earlier
MAX_TOGETHER = 16  # children that are reaped together
MAX_LOGGED_ONCE = 1_000  # lines of which it is remembered that they were logged


class Worker:
    """The worker over a listening socket. It is the `ExchangeHost` of its exchanges.

    `channel` leads to the supervisor, `handover` to the other workers, `zygote` to the process that
    forks, with which `table` is shared. `held` are the modules that are preloaded there.
    """

    def __init__(
        self,
        listener: socket.socket,
        channel: socket.socket,
        zygote: socket.socket,
        handover: Handover,
        settings: Settings,
        held: "dict[str, Held]",
        table: SlotTable,
    ) -> None:
        self.settings = settings
        self.log = LogLines()  # standard error, which the supervisor reads
        self._logged: set[str] = set()
        self.loop = Loop(Guard(self.log, self.give_up))
        guarded, patience = self.loop.guarded, settings.patience
        together = _together(settings)
        self.zygote = ZygoteClient(zygote, table, self._learn, guarded, patience, together)
        self.keeper = Keeper(self.loop, self.zygote, settings, self.log_once)
        self.places = Places(self.loop, self.zygote, settings)
        self.launcher = Launcher(settings, held, self.report, self.log_once)
        self.connections = Connections(self.loop, settings, partial(Exchange, self), self.log)
        self.single = not os.path.isdir(settings.root)
        self.null = os.open(os.devnull, os.O_RDWR)
        self.known_blocks: KnownBlocks = {}
        self.refusals = Refusals()
        self.background = Background()
        self._listener = listener
        self._handover = handover
        self._channel = channel
        self._learnt: set[str] = set()
        self._ticked = self.loop.now

    # --- the loop -----------------------------------------------------------------------------

    def run(self) -> int:
        """Serve until told to stop and everything in hand is answered. Return the exit status."""
        loop, connections, running = self.loop, self.connections, self.places.running
        self._obey_signals()
        loop.watch(self._channel.fileno(), IN, self._on_channel, self.give_up)
        loop.watch(self.zygote.sock.fileno(), IN, self._on_zygote, self.give_up)
        connections.open(self._listener, self._handover, self.give_up)
        gc.collect()
        gc.freeze()
        self.report(("ready",))
        # A script may go on after its answer: it is not cut short for a reload
        while not (connections.draining and not connections.all and not running):
            loop.guarded(self.give_up, self._turn)
        self.zygote.reap_rest()  # what they have left behind is ended then
        return 0

    def _turn(self) -> None:
        """Wait for what happens next, and deal with it."""
        loop, places, zygote = self.loop, self.places, self.zygote
        busy = self.connections.all or zygote.children
        loop.wait(1 if places.held else 200 if busy else 5_000)
        if places.held:
            places.recheck()
        if loop.now - self._ticked > TICK:
            self._tick()
        while zygote.has_news:
            self._on_zygote(IN)

    def _tick(self) -> None:
        self._ticked = self.loop.now
        self.zygote.reap_rest()
        self.zygote.look_at_clock()
        self.places.tick()
        self.keeper.tick()
        self.connections.tick()

    def _on_zygote(self, mask: int) -> None:
        if not self.zygote.receive():
            what = self.zygote.lost or "has ended"
            self.log(f"the process that forks {what}: it is replaced, and so is this worker")
            self.give_up()
        self.places.start_next()

    # --- its end ------------------------------------------------------------------------------

    def _obey_signals(self) -> None:
        """Have SIGTERM (end) and SIGUSR1 (another worker takes over) wake the loop: in the handler,
        anything may be half done.
        """
        self._woken, self._waker = os.pipe()
        os.set_blocking(self._waker, False)
        signal.set_wakeup_fd(self._waker, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGUSR1):
            signal.signal(number, lambda number, frame: None)
        self.loop.watch(self._woken, IN, self._on_signal, self.give_up)

    def _on_signal(self, mask: int) -> None:
        self.connections.drain(replaced=signal.SIGTERM not in os.read(self._woken, 64))

    def give_up(self, incident: str = "") -> None:
        """End this worker now; whoever waits for an answer gets a page. Never returns.

        After an error on a channel that several requests share nobody knows whose the next message is:
        no answer may reach another request. The supervisor ends the zygote, and starts both again.
        """
        try:
            number = f" (incident {incident})" if incident else ""
            problem = Problem(
                503, f"A part of the server had to end{number}.", headers=(("Retry-After", "5"),)
            )
            self.connections.give_up(problem)
        finally:
            os._exit(1)

    # --- the supervisor, and the log ----------------------------------------------------------

    def _on_channel(self, mask: int) -> None:
        try:
            asked = self._channel.recv(64, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        except OSError:
            asked = b""
        if asked:  # whether this worker is there
            self.report(("here",))
            return
        # Its end of the socket closes when the supervisor dies; then there is nobody to end this worker
        self.loop.unwatch(self._channel.fileno())
        self.connections.drain(replaced=False)

    def report(self, message: "tuple[Any, ...]") -> None:
        """Send a message to the supervisor. If it takes none for so long that they fill the socket, it
        is taken for gone.
        """
        try:
            self._channel.sendall(messages.pack(message))
        except OSError:
            with suppress(OSError):  # part of it may be out: nothing can follow it
                self._channel.shutdown(socket.SHUT_RDWR)

    def _learn(self, names: list[str]) -> None:
        """Report what a child had to import."""
        new = [name for name in names if name not in self._learnt]
        if new:
            self._learnt.update(new)
            self.report(("learnt", new))

    def log_once(self, line: str) -> None:
        """Log what would come back with every request, the first time."""
        if line not in self._logged:
            if len(self._logged) < MAX_LOGGED_ONCE:
                self._logged.add(line)
            self.log(line)


def _together(settings: Settings) -> int:
    """Return how many children that have ended may wait to be reaped together: they still count as
    processes of the user, and must not take the places of others where there are few.
    """
    limits = (settings.processes, resource.getrlimit(resource.RLIMIT_NPROC)[0])
    return max(1, min([MAX_TOGETHER, *(limit // 64 for limit in limits if limit > 0)]))


def main() -> int:
    """Run a worker. Its arguments are the descriptors of its channel to the supervisor, the listening
    socket, the socket to its zygote, both ends of the way to the other workers, and the table.
    Return the exit status.
    """
    os.environ.pop("LD_BIND_NOW", None)
    fds = [int(word) for word in sys.argv[1:]]
    for fd in fds:
        os.set_inheritable(fd, False)
    channel, listener, zygote, inbox, outbox = (socket.socket(fileno=fd) for fd in fds[:5])
    channel.settimeout(TELLING)
    zygote.settimeout(STARTING)
    table = SlotTable(mmap.mmap(fds[5], slottable.SIZE))
    os.close(fds[5])
    settings = Settings(**messages.receive(channel))
    try:
        held, failed, refused, absent = messages.receive(zygote)
    except SystemExit:
        LogLines()("the process that forks ended before it was ready: it is started again")
        raise
    zygote.setblocking(True)
    worker = Worker(listener, channel, zygote, Handover(inbox, outbox), settings, held, table)
    for line in failed:
        worker.log(f"not preloaded: {line}")
    if refused:
        worker.report(("refused", refused))
    if absent:
        worker.report(("absent", absent))
    return worker.run()
