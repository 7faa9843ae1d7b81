"""One worker: an event loop that takes requests from a web server and has a process run each.

Only the dealing is here: which connection, which script and which pipe is ready, what is too slow, and
when to stop. What a request goes through is in `exchange.py`, the bytes on the connection are in
`cgikit.gateway`. Processes are forked by `zygote.py`, which is a process of its own: after a fork each
page of memory that is written to has to be copied, here too.

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

from cgikit.gateway.fastcgi import FastCGI
from cgikit.gateway.kept import Kept
from cgikit.gateway.scgi import SCGI
from cgikit.gateway.wire import Aborted, Body, Opened, WireError

from .children import Children
from .connection import Connection
from .entrance import Entrance
from .exchange import Exchange
from .fresh import Freshness, Held
from .program import Programs
from .settings import Settings
from .zygote import SLOTS, TABLE, exactly

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from cgikit.gateway.wire import Event

    from .connection import Pieces

IN, OUT = select.POLLIN, select.POLLOUT
GONE = select.POLLHUP | select.POLLERR | select.POLLNVAL
CHUNK = 65_536  # the size of a pipe on Linux
MAX_CONNECTIONS = 1_024
TICK = 0.2  # seconds between looks at what takes too long
LINGER = 5.0  # seconds in which a peer may send the rest of a body that nobody wants
STALLED = 120.0  # seconds until a peer that takes nothing of its answer is dropped
LAST = (
    1.0  # seconds in which a next request may come when draining, or when others wait for a place
)
LAST_NEW = 3.0  # the same on a connection that had none yet
MAX_COLD = 1_000  # scripts of which it is remembered that they run cold


class Worker:
    """The event loop over a listening socket. `channel` leads to the supervisor, `kept` to the other
    workers.
    """

    def __init__(
        self,
        listener: socket.socket,
        channel: socket.socket,
        zygote: socket.socket,
        kept: Kept,
        settings: Settings,
        held: dict[str, Held],
        table: mmap.mmap,
    ) -> None:
        self.settings = settings
        self.children = Children(zygote, table, self._learn)
        self.channel = channel
        self.entrance = Entrance(self, listener, kept, settings.peers, self._begin)
        self.programs = Programs(os.environ.get("PATH", os.defpath))
        self.fresh = Freshness(held, sys.path[1:])
        self.base = dict(os.environ)
        self.now = time.monotonic()
        self.stale = ""
        self.draining = False
        self.exchanges: set[Exchange] = set()  # those that run a child
        self.queue: list[Exchange] = []  # those that wait for one to end
        self.connections: dict[int, Connection] = {}
        self.null = os.open(os.devnull, os.O_RDWR)
        self.single = not os.path.isdir(settings.root)
        self.verdicts: dict[bytes, tuple[bytes, int | None]] = {}
        self._learnt: set[str] = set()
        self._cold: dict[str, str] = {}
        self._poll = select.poll()
        self._handlers: dict[int, Callable[[int], None]] = {}
        self._held: set[Exchange] = set()
        self._ticked = self.now

    # --- the loop -----------------------------------------------------------------------------

    def run(self) -> int:
        """Serve until told to stop and everything in hand is answered. Return the exit status."""
        self._obey_signals()
        self.watch(self.channel.fileno(), IN, self._on_channel)
        self.watch(self.children.sock.fileno(), IN, self._on_zygote)
        self.entrance.open()
        gc.collect()
        gc.freeze()
        self.tell(("ready",))
        # A script may go on after its answer: it is not cut short for a reload
        while not (self.draining and not self.connections and not self.exchanges):
            busy = self.connections or self.children
            timeout = 1 if self._held else 200 if busy else 5_000
            for fd, mask in self._poll.poll(timeout):
                handler = self._handlers.get(fd)
                if handler is not None:  # closed by what an earlier one did, otherwise
                    handler(mask)
            self.now = time.monotonic()
            if self._held:
                self._release()
            if self.now - self._ticked > TICK:
                self._tick()
            while self.children.has_news:
                self._on_zygote(IN)
        return 0

    def watch(self, fd: int, mask: int, handler: "Callable[[int], None]") -> None:
        """Call `handler` with what has happened on a descriptor."""
        self._handlers[fd] = handler
        self._poll.register(fd, mask)

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
        self.watch(self._woken, IN, self._on_signal)

    def _on_signal(self, mask: int) -> None:
        self._drain(leaving=signal.SIGTERM not in os.read(self._woken, 64))

    def _drain(self, leaving: bool) -> None:
        """Take no more than what has come; it is answered. On a connection that waits for a request one
        may be on its way: another worker gets it, or it gets a moment (see `_tick_connection`).
        """
        self.entrance.end(leaving)
        self.draining = True
        for connection in list(self.connections.values()):
            if connection.exchange is None:
                self._leave(connection)

    def _on_channel(self, mask: int) -> None:
        # The supervisor says nothing: its end of the socket closes when it dies, and then there is
        # nobody to end this worker
        self.unwatch(self.channel.fileno())
        self._drain(leaving=False)

    def tell(self, message: "tuple[Any, ...]") -> None:
        """Send a message to the supervisor."""
        data = marshal.dumps(message)
        with suppress(OSError):
            self.channel.sendall(len(data).to_bytes(4, "big") + data)

    def log(self, line: str) -> None:
        """Write one line to the log: this process's standard error, which the supervisor reads."""
        with suppress(OSError):
            os.write(2, f"{line}\n".encode("utf-8", "backslashreplace"))

    # --- connections --------------------------------------------------------------------------

    def _begin(self, sock: socket.socket) -> None:
        fastcgi = self.settings.protocol == "fastcgi"
        codec = FastCGI(MAX_CONNECTIONS, self.settings.children) if fastcgi else SCGI()
        connection = Connection(sock, codec, self.now)
        self.connections[connection.fd] = connection
        connection.mask = IN
        self.watch(connection.fd, IN, lambda mask: self._on_connection(connection, mask))
        if len(self.connections) >= MAX_CONNECTIONS:
            self.entrance.shut()
        self._receive(connection)

    def _on_connection(self, connection: Connection, mask: int) -> None:
        if mask & OUT:
            self._send(connection)
        if mask & IN:
            self._receive(connection)
        elif mask & GONE:
            self.lost(connection)

    def _receive(self, connection: Connection) -> None:
        try:
            data = connection.sock.recv(CHUNK)
        except BlockingIOError:
            return
        except OSError:
            self.lost(connection)
            return
        if not data:
            self._ended(connection)
            return
        connection.heard = self.now
        if connection.closing:
            return  # the rest of what nobody wants
        try:
            events = connection.codec.receive(data)
        except WireError as error:
            self.log(f"connection closed: {error}")
            self.lost(connection)
            return
        replies = connection.codec.replies() if isinstance(connection.codec, FastCGI) else b""
        if replies:
            self.send(connection, [replies])
        for event in events:
            self._dispatch(connection, event)
        if replies and not connection.codec.keep and not connection.codec.request:
            self.finished(connection)

    def _dispatch(self, connection: Connection, event: "Event") -> None:
        exchange = connection.exchange
        if isinstance(event, Opened):
            exchange = connection.exchange = Exchange(self, connection, event)
            exchange.opened()
        elif exchange is None or exchange.request != event.request:
            pass  # what belongs to a request that is answered
        elif isinstance(event, Body):
            exchange.body(event.data)
        elif isinstance(event, Aborted):
            exchange.abandon()

    def _ended(self, connection: Connection) -> None:
        """See to a peer that sends no more. With SCGI it may have closed one half and wait still."""
        if isinstance(connection.codec, SCGI) and connection.exchange is not None:
            self.poll(connection, connection.mask & ~IN)
            connection.exchange.body(b"")
        else:
            self.lost(connection)

    def poll(self, connection: Connection, mask: int) -> None:
        """Set what a connection is polled for."""
        if mask != connection.mask and connection.fd in self._handlers:
            connection.mask = mask
            self._poll.modify(connection.fd, mask)

    def send(self, connection: Connection, pieces: "Pieces") -> None:
        """Send, now or as soon as the peer takes it."""
        waits = bool(connection.outbox)
        connection.put(pieces)
        if not waits:
            try:
                connection.flush()
            except OSError:
                self.lost(connection)
                return
            if not connection.outbox:
                return
            connection.heard = self.now
        self.poll(connection, connection.mask | OUT)
        child = connection.exchange.child if connection.exchange is not None else None
        if child is not None and connection.waiting > child.ahead:
            child.pause()

    def _send(self, connection: Connection) -> None:
        try:
            if connection.flush():
                connection.heard = self.now
        except OSError:
            self.lost(connection)
            return
        if connection.outbox:
            return
        self.poll(connection, connection.mask & ~OUT)
        if connection.exchange is not None:
            if connection.exchange.child is not None:
                connection.exchange.child.resume()
        elif connection.closing:
            self.linger(connection)
        elif not connection.codec.keep or self.draining:
            self.finished(connection)

    def finished(self, connection: Connection) -> None:
        """Wait for the next request, or close once everything is sent."""
        connection.exchange = None
        connection.heard = self.now
        if self.draining and self._leave(connection):
            return
        if connection.codec.keep and not self.draining and not connection.closing:
            self.poll(connection, connection.mask | IN)
        elif not connection.outbox and connection.fd in self.connections:
            self.close(connection)

    def _leave(self, connection: Connection) -> bool:
        """Let another worker go on with a connection. False where that cannot be."""
        if connection.fd not in self.connections or not self.entrance.leave(connection):
            return False
        del self.connections[connection.fd]
        self.unwatch(connection.fd)
        connection.sock.close()  # and no shutdown: it stays open
        return True

    def linger(self, connection: Connection) -> None:
        """Close a connection whose peer is still sending a body that nobody reads.

        Closed with bytes unread, a socket is reset, and the peer may lose the answer.
        """
        connection.exchange = None
        connection.codec.keep = False
        connection.closing = self.now + LINGER
        if not connection.outbox:
            with suppress(OSError):
                connection.sock.shutdown(socket.SHUT_WR)
        self.poll(connection, connection.mask | IN)

    def lost(self, connection: Connection) -> None:
        """Close the connection of a peer that is gone, or wrong, and end what runs for it."""
        exchange, connection.exchange = connection.exchange, None
        self.close(connection)
        if exchange is not None:
            exchange.abandon()

    def close(self, connection: Connection) -> None:
        """Close a connection."""
        if self.connections.pop(connection.fd, None) is None:
            return
        self.unwatch(connection.fd)
        # A child that was forked a moment ago may hold it too, and would keep it open
        with suppress(OSError):
            connection.sock.shutdown(socket.SHUT_RDWR)
        connection.sock.close()
        connection.outbox.clear()
        self.entrance.open()

    # --- children -----------------------------------------------------------------------------

    def hold(self, exchange: Exchange) -> None:
        """Wait a moment for the end of an answer that has begun."""
        self._held.add(exchange)

    def _release(self) -> None:
        held, self._held = self._held, set()
        for exchange in held:
            exchange.look_again()

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

    def _has_room(self) -> bool:
        # Children that have left and are not reaped yet have their slots still
        return len(self.exchanges) < self.settings.children and len(self.children) < SLOTS

    def _on_zygote(self, mask: int) -> None:
        if not self.children.receive():
            self.log("the process that forks has ended, and so does this worker")
            os._exit(1)
        self._start_next()

    def _start_next(self) -> None:
        while self.queue and self._has_room():
            self.queue.pop(0).start()

    def ended(self, exchange: Exchange) -> None:
        """Let the next request start its script: this one's has ended."""
        self._held.discard(exchange)
        self.exchanges.discard(exchange)
        self._start_next()

    def must_start_anew(self) -> bool:
        """Whether what this worker holds ready is out of date; the supervisor is told once."""
        if not self.stale and self.settings.warm:
            self.stale = self.fresh.stale()
            if self.stale:
                self.tell(("stale", self.stale))
        return bool(self.stale)

    def _learn(self, names: list[str]) -> None:
        """Pass on what a child had to import."""
        new = [name for name in names if name not in self._learnt]
        if new:
            self._learnt.update(new)
            self.tell(("learnt", new))

    def cold(self, file: str, why: str) -> None:
        """Log, once, why a script does not run warm. Other languages need no reason."""
        if why and why != self._cold.get(file) and "not a Python" not in why:
            if len(self._cold) < MAX_COLD:
                self._cold[file] = why
            self.log(f"{file} runs in an interpreter of its own: {why}")

    def _tick(self) -> None:
        self._ticked = self.now
        self.children.reap_rest()
        for exchange in list(self.exchanges):
            exchange.tick()
        for exchange in list(self.queue):
            if self.now - exchange.asked > self.settings.timeout:
                self.queue.remove(exchange)
                exchange.refuse("no script ended in time to make room for it")
        crowded = len(self.connections) >= MAX_CONNECTIONS
        for connection in list(self.connections.values()):
            self._tick_connection(connection, crowded)
        if len(self.connections) < MAX_CONNECTIONS:
            self.entrance.open()

    def _tick_connection(self, connection: Connection, crowded: bool) -> None:
        silent = self.now - connection.heard
        exchange = connection.exchange
        if 0 < connection.closing < self.now and not connection.outbox:
            self.close(connection)
        elif connection.outbox:
            if silent > STALLED:
                self.log("connection closed: the web server takes nothing of an answer")
                self.lost(connection)
        elif exchange is None:
            self._tick_waiting(connection, silent, crowded)
        elif exchange.waits_for_body and silent > self.settings.timeout:
            exchange.late()

    def _tick_waiting(self, connection: Connection, silent: float, crowded: bool) -> None:
        """See to a connection on which no whole request has come."""
        begun = connection.codec.request or isinstance(connection.codec, SCGI)
        if (self.draining or crowded) and not connection.codec.request:
            if silent > (LAST if connection.codec.keep else LAST_NEW):
                self.close(connection)
        elif begun and silent > self.settings.timeout:
            self.log("connection closed: a request did not arrive in time")
            self.lost(connection)


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
    table = mmap.mmap(fds[5], TABLE)
    os.close(fds[5])
    size = int.from_bytes(exactly(channel, 4), "big")
    settings = Settings(**marshal.loads(exactly(channel, size)))  # noqa: S302 -- our parent's
    size = int.from_bytes(exactly(zygote, 4), "big")
    held, refused, absent = marshal.loads(exactly(zygote, size))  # noqa: S302 -- our sibling's
    worker = Worker(listener, channel, zygote, Kept(inbox, outbox), settings, held, table)
    for line in refused:
        worker.log(f"not held ready: {line}")
    if absent:
        worker.tell(("absent", absent))
    return worker.run()
