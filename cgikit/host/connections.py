"""The connections of a worker: what comes and goes on each, and what becomes of those that are slow.

Reading and sending as sockets allow, and the end of a connection. What the bytes mean is in
`cgikit.gateway`, what becomes of a request in `exchange.py`, which descriptor is ready in `worker.py`.
"""

import select
import socket
from contextlib import suppress
from functools import partial

from cgikit.gateway.fastcgi import FastCGI
from cgikit.gateway.scgi import SCGI
from cgikit.gateway.wire import Aborted, Body, Opened, WireError

from .connection import Connection
from .exchange import Exchange

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from cgikit.gateway.wire import Event

    from .connection import Pieces
    from .problem import Problem
    from .worker import Worker

IN, OUT = select.POLLIN, select.POLLOUT
GONE = select.POLLHUP | select.POLLERR | select.POLLNVAL
CHUNK = 65_536  # the size of a pipe on Linux
MAX_CONNECTIONS = 1_024
LINGER = 5.0  # seconds in which a peer may send the rest of a body that nobody wants
STALLED = 120.0  # seconds until a peer that takes nothing of its answer is dropped
LAST = (
    1.0  # seconds in which a next request may come when draining, or when others wait for a place
)
LAST_NEW = 3.0  # the same on a connection that had none yet
MOST_UNREAD = 64  # pieces of what is in a connection's buffer, taken before it is closed at once


class Connections:
    """All connections of one worker, by their descriptors."""

    def __init__(self, worker: "Worker") -> None:
        self._worker = worker
        self._all: dict[int, Connection] = {}

    def __len__(self) -> int:
        """How many there are."""
        return len(self._all)

    def __contains__(self, connection: Connection) -> bool:
        """Whether a connection is open, and ours."""
        return self._all.get(connection.fd) is connection

    def __iter__(self) -> "Iterator[Connection]":
        """Go through those that there are now."""
        return iter(list(self._all.values()))

    def begin(self, sock: socket.socket) -> None:
        """Take a connection that was accepted, or left by another worker."""
        fastcgi = self._worker.settings.protocol == "fastcgi"
        codec = FastCGI(MAX_CONNECTIONS, self._worker.settings.children) if fastcgi else SCGI()
        connection = Connection(sock, codec, self._worker.now)
        self._all[connection.fd] = connection
        connection.mask = IN
        ends = partial(self.crashed, connection)
        self._worker.watch(connection.fd, IN, partial(self._on_connection, connection), ends)
        if len(self._all) >= MAX_CONNECTIONS:
            self._worker.entrance.shut()
        self._worker.guarded(ends, self._receive, connection)

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
        connection.heard = self._worker.now
        if connection.closing:
            return  # the rest of what nobody wants
        try:
            events = connection.codec.receive(data)
        except WireError as error:
            self._worker.log(f"connection closed: {error}")
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
            exchange = connection.exchange = Exchange(self._worker, connection, event)
            self._worker.guarded(exchange.crashed, exchange.opened)
        elif exchange is None or exchange.request != event.request:
            pass  # what belongs to a request that is answered
        elif isinstance(event, Body):
            self._worker.guarded(exchange.crashed, exchange.body, event.data)
        elif isinstance(event, Aborted):
            self._worker.guarded(exchange.crashed, exchange.abandon)

    def _ended(self, connection: Connection) -> None:
        """See to a peer that sends no more. With SCGI it may have closed one half and wait still."""
        if isinstance(connection.codec, SCGI) and connection.exchange is not None:
            self.poll(connection, connection.mask & ~IN)
            exchange = connection.exchange
            self._worker.guarded(exchange.crashed, exchange.body, b"")
        else:
            self.lost(connection)

    def poll(self, connection: Connection, mask: int) -> None:
        """Set what a connection is polled for."""
        if mask != connection.mask and connection in self:
            connection.mask = mask
            self._worker.rewatch(connection.fd, mask)

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
            connection.heard = self._worker.now
        self.poll(connection, connection.mask | OUT)
        child = connection.exchange.child if connection.exchange is not None else None
        if child is not None and connection.waiting > child.ahead:
            child.pause()

    def _send(self, connection: Connection) -> None:
        try:
            if connection.flush():
                connection.heard = self._worker.now
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
        elif not connection.codec.keep or self._worker.draining:
            self.finished(connection)

    def finished(self, connection: Connection) -> None:
        """Wait for the next request, or close once everything is sent."""
        connection.exchange = None
        connection.heard = self._worker.now
        if self._worker.draining and self.leave(connection):
            return
        if connection.codec.keep and not self._worker.draining and not connection.closing:
            self.poll(connection, connection.mask | IN)
        elif not connection.outbox and connection in self:
            self.close(connection)

    def leave(self, connection: Connection) -> bool:
        """Let another worker go on with a connection. False where that cannot be."""
        if connection not in self or not self._worker.entrance.leave(connection):
            return False
        del self._all[connection.fd]
        self._worker.unwatch(connection.fd)
        connection.sock.close()  # and no shutdown: it stays open
        return True

    def linger(self, connection: Connection) -> None:
        """Close a connection whose peer is still sending a body that nobody reads.

        Closed with bytes unread, a socket is reset, and the peer may lose the answer.
        """
        connection.exchange = None
        connection.codec.keep = False
        connection.closing = self._worker.now + LINGER
        if not connection.outbox:
            with suppress(OSError):
                connection.sock.shutdown(socket.SHUT_WR)
        self.poll(connection, connection.mask | IN)

    def lost(self, connection: Connection) -> None:
        """Close the connection of a peer that is gone, or wrong, and end what runs for it."""
        exchange, connection.exchange = connection.exchange, None
        self.close(connection)
        if exchange is not None:
            self._worker.guarded(exchange.crashed, exchange.abandon)

    def close(self, connection: Connection) -> None:
        """Close a connection."""
        if connection not in self:
            return
        del self._all[connection.fd]
        self._worker.unwatch(connection.fd)
        # A child that was forked a moment ago may hold it too, and would keep it open
        with suppress(OSError):
            connection.sock.shutdown(socket.SHUT_RDWR)
        connection.sock.close()
        connection.outbox.clear()
        self._worker.entrance.open()

    def crashed(self, connection: Connection, incident: str) -> None:
        """End a connection after an error: the request in hand is told, and there is no other, since
        nobody knows what the codec takes the next bytes for.
        """
        try:
            connection.codec.keep = False
            exchange = connection.exchange
            if exchange is not None:
                exchange.crashed(incident)
            if not connection.outbox and not connection.closing:
                self.close(connection)
        except Exception:
            self.drop(connection)

    def drop(self, connection: Connection) -> None:
        """Close a connection where nothing else can be relied on any more. Never raises."""
        connection.exchange = None
        self._all.pop(connection.fd, None)
        with suppress(Exception):
            self._worker.unwatch(connection.fd)
        with suppress(OSError):
            connection.sock.shutdown(socket.SHUT_RDWR)
        with suppress(OSError):
            connection.sock.close()

    def give_up(self, connection: Connection, problem: "Problem") -> None:
        """Answer what is in hand on a connection with a problem, as far as the peer takes it at once:
        the process ends. Never raises.
        """
        with suppress(Exception):
            if connection.exchange is not None:
                connection.exchange.give_up(problem)
            for _ in range(MOST_UNREAD):  # closed with bytes unread, the peer may lose the answer
                if not connection.sock.recv(CHUNK):
                    break

    # --- the clock ----------------------------------------------------------------------------

    def tick(self) -> None:
        """Look at the clock, several times a second."""
        crowded = len(self._all) >= MAX_CONNECTIONS
        for connection in self:
            ends = partial(self.crashed, connection)
            self._worker.guarded(ends, self._tick_connection, connection, crowded)
        if len(self._all) < MAX_CONNECTIONS:
            self._worker.entrance.open()

    def _tick_connection(self, connection: Connection, crowded: bool) -> None:
        silent = self._worker.now - connection.heard
        exchange = connection.exchange
        if 0 < connection.closing < self._worker.now and not connection.outbox:
            self.close(connection)
        elif connection.outbox:
            if silent > STALLED:
                self._worker.log("connection closed: the web server takes nothing of an answer")
                self.lost(connection)
        elif exchange is None:
            self._tick_waiting(connection, silent, crowded)
        elif exchange.waits_for_body and silent > self._worker.settings.timeout:
            exchange.late()

    def _tick_waiting(self, connection: Connection, silent: float, crowded: bool) -> None:
        """See to a connection on which no whole request has come."""
        begun = connection.codec.request or isinstance(connection.codec, SCGI)
        if (self._worker.draining or crowded) and not connection.codec.request:
            if silent > (LAST if connection.codec.keep else LAST_NEW):
                self.close(connection)
        elif begun and silent > self._worker.settings.timeout:
            self._worker.log("connection closed: a request did not arrive in time")
            self.lost(connection)
