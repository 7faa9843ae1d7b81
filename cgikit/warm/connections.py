"""The connections of a worker: what comes and goes on each, and what becomes of those that are slow.

Reading and sending as sockets allow, and the end of a connection. What the bytes mean is in
`cgikit.gateway`, what becomes of a request in `exchange.py`, which descriptor is ready in `worker.py`.
"""

import resource
import select
import socket
import struct
from contextlib import suppress
from functools import partial

from cgikit.gateway.fastcgi import FastCGI
from cgikit.gateway.listener import send_at_once
from cgikit.gateway.scgi import SCGI
from cgikit.gateway.wire import Aborted, BodyPiece, RequestStarted, WireError

from .connection import Connection
from .exchange import Exchange

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from cgikit.gateway.pace import Pace
    from cgikit.gateway.wire import Event

    from ..host.problem import Problem
    from .connection import Pieces
    from .worker import Worker

IN, OUT = select.POLLIN, select.POLLOUT
GONE = select.POLLHUP | select.POLLERR | select.POLLNVAL
CHUNK = 65_536  # the size of a pipe on Linux
MAX_CONNECTIONS = 1_024
LINGER = 5.0  # seconds of silence in which a peer may send more of a body that nobody wants
STALLED = 120.0  # seconds until a peer that takes nothing of its answer is dropped
SLOW = 1.0  # seconds that a peer may let an answer wait before its script is freed from it
SWEPT = 60.0  # seconds between two lines about connections that had to give way
LAST = (
    1.0  # seconds in which a next request may come when draining, or when others wait for a place
)
BROKEN = bytes(8)  # a record of version 0
RESET = struct.pack("ii", 1, 0)  # SO_LINGER
LAST_NEW = 3.0  # the same on a connection that had none yet
MAX_UNREAD = 64  # pieces of what is in a connection's buffer, taken before it is closed at once


class Connections:
    """All connections of one worker, by their descriptors."""

    def __init__(self, worker: "Worker") -> None:
        self._worker = worker
        self._all: dict[int, Connection] = {}
        # Scripts need descriptors too: three for each, and one for what waits on disk
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        self._most = MAX_CONNECTIONS if soft < 0 else min(MAX_CONNECTIONS, max(16, soft * 2 // 3))
        self._gave_way = 0  # those that were closed to make room, since the log said so
        self._told = 0.0

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
        send_at_once(sock)
        self._all[connection.fd] = connection
        connection.mask = IN
        ends = partial(self.crashed, connection)
        self._worker.watch(connection.fd, IN, partial(self._on_connection, connection), ends)
        if len(self._all) >= self._most and not self.make_room():
            self._worker.acceptor.shut()
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
        codec, now = connection.codec, self._worker.now
        if connection.exchange is None and not connection.closing and codec.is_idle:
            connection.inward.begin(now)  # a request begins
        connection.inward.move(len(data), now)
        if connection.closing:
            return  # the rest of what nobody wants
        try:
            events = codec.receive(data)
        except WireError as error:
            self._worker.log(f"connection closed: {error}")
            self.lost(connection)
            return
        replies = codec.replies()
        if replies:
            self.send(connection, [replies])
        for event in events:
            self._dispatch(connection, event)
        if replies and not codec.keep and not codec.request:
            self.finished(connection)

    def _dispatch(self, connection: Connection, event: "Event") -> None:
        exchange = connection.exchange
        if isinstance(event, RequestStarted):
            connection.inward.begin(self._worker.now)  # its body
            exchange = connection.exchange = Exchange(self._worker, connection, event)
            self._worker.guarded(exchange.crashed, exchange.opened)
        elif exchange is None or exchange.request != event.request:
            pass  # what belongs to a request that is answered
        elif isinstance(event, BodyPiece):
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
        """Send, now or as soon as the peer takes it, or as it is released."""
        waits = bool(connection.waiting)
        connection.put(pieces)
        if not waits and not connection.is_held:
            try:
                connection.flush()
            except OSError:
                self.lost(connection)
                return
        if connection.waiting:
            if not waits:
                connection.outward.begin(self._worker.now)
            self._await(connection)

    def last(self, connection: Connection, data: bytes) -> None:
        """Send the end of an answer. From now on the end of the connection is not that of the script:
        the peer may close it as soon as it has all.
        """
        connection.exchange = None
        if connection.is_held:
            connection.is_held = False
            connection.outward.begin(self._worker.now)
        self.send(connection, [data] if data else [])

    def _await(self, connection: Connection) -> None:
        """Wait until the peer takes more; so does the script, where too much waits."""
        if not connection.is_held:
            self.poll(connection, connection.mask | OUT)
        child = connection.exchange.child if connection.exchange is not None else None
        if child is not None:
            if connection.is_spooled:
                full = connection.is_full
            else:
                full = connection.waiting > child.ahead
            if full:
                child.pause()

    def restrain(self, connection: Connection) -> None:
        """Send nothing until it is released: what is put waits."""
        connection.is_held = True
        self._spill(connection)

    def release(self, connection: Connection) -> None:
        """Send what was held, and hold no more."""
        if connection.is_held:
            connection.is_held = False
            connection.outward.begin(self._worker.now)
            self._send(connection)

    def _spill(self, connection: Connection) -> None:
        settings = self._worker.settings
        connection.spill(settings.spool, settings.temporary)

    def _send(self, connection: Connection) -> None:
        try:
            sent = connection.flush()
        except OSError:
            self.lost(connection)
            return
        if sent:
            connection.outward.move(sent, self._worker.now)
        exchange = connection.exchange
        if connection.waiting:
            self.poll(connection, connection.mask | OUT)
            if exchange is not None and connection.is_spooled and not connection.is_full:
                self._resume(exchange)
            return
        self.poll(connection, connection.mask & ~OUT)
        if exchange is not None:
            self._resume(exchange)
        elif connection.closing:
            self.linger(connection)
        elif not connection.codec.keep or self._worker.draining:
            self.finished(connection)

    def _resume(self, exchange: Exchange) -> None:
        if exchange.child is not None:
            exchange.child.resume()

    def finished(self, connection: Connection) -> None:
        """Wait for the next request, or close once everything is sent."""
        connection.exchange = None
        connection.inward.begin(self._worker.now)
        if self._worker.draining and self.leave(connection):
            return
        if connection.codec.keep and not self._worker.draining and not connection.closing:
            self.poll(connection, connection.mask | IN)
        elif not connection.waiting and connection in self:
            self.close(connection)

    def leave(self, connection: Connection) -> bool:
        """Let another worker go on with a connection. False where that cannot be."""
        if connection not in self or not self._worker.acceptor.leave(connection):
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
        if not connection.closing:
            connection.inward.begin(self._worker.now)
        connection.closing = self._worker.now + LINGER
        if not connection.waiting:
            with suppress(OSError):
                connection.sock.shutdown(socket.SHUT_WR)
        self.poll(connection, connection.mask | IN)

    def lost(self, connection: Connection) -> None:
        """Close the connection of a peer that is gone, or wrong, and end what runs for it."""
        exchange, connection.exchange = connection.exchange, None
        self.close(connection)
        if exchange is not None:
            self._worker.guarded(exchange.crashed, exchange.abandon)

    def cut(self, connection: Connection) -> None:
        """Close a connection so that the peer can tell that its answer is not whole.

        With FastCGI the end is missing, and a record comes that is none: nginx takes the end of a
        connection for that of the answer, unless `fastcgi_keep_conn` is on. With SCGI an orderly end is
        the end of the answer, so the connection is reset; of a UNIX socket nothing can tell that.
        """
        if connection in self and isinstance(connection.codec, SCGI):
            with suppress(OSError):
                connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            del self._all[connection.fd]
            self._worker.unwatch(connection.fd)
            connection.sock.close()
            connection.drop()
            self._worker.acceptor.open()
        else:
            connection.codec.keep = False
            self.last(connection, BROKEN)
            if connection in self:
                self.finished(connection)

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
        connection.drop()
        self._worker.acceptor.open()

    def crashed(self, connection: Connection, incident: str) -> None:
        """End a connection after an error: the request in hand is told, and there is no other, since
        nobody knows what the codec takes the next bytes for.
        """
        try:
            connection.codec.keep = False
            exchange = connection.exchange
            if exchange is not None:
                exchange.crashed(incident)
            if not connection.waiting and not connection.closing:
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
        with suppress(OSError):
            connection.drop()

    def give_up(self, connection: Connection, problem: "Problem") -> None:
        """Answer what is in hand on a connection with a problem, as far as the peer takes it at once:
        the process ends. Never raises.
        """
        with suppress(Exception):
            if connection.exchange is not None:
                connection.exchange.give_up(problem)
            for _ in range(MAX_UNREAD):  # closed with bytes unread, the peer may lose the answer
                if not connection.sock.recv(CHUNK):
                    break

    # --- the clock ----------------------------------------------------------------------------

    def tick(self) -> None:
        """Look at the clock, several times a second."""
        crowded = len(self._all) >= self._most
        for connection in self:
            ends = partial(self.crashed, connection)
            self._worker.guarded(ends, self._tick_connection, connection, crowded)
        if self._gave_way and self._worker.now - self._told > SWEPT:
            self._worker.log(f"{self._gave_way} slow connections were closed to make room")
            self._gave_way, self._told = 0, self._worker.now
        if len(self._all) < self._most or self.make_room():
            self._worker.acceptor.open()

    def _tick_connection(self, connection: Connection, crowded: bool) -> None:
        now, exchange = self._worker.now, connection.exchange
        if connection.waiting and not connection.is_held:
            if connection.outward.is_slow(now, STALLED):
                self._worker.log("connection closed: the web server takes too little of an answer")
                self.lost(connection)
            else:
                self._free_script(connection)
        elif connection.closing:
            self._tick_closing(connection)
        elif exchange is None:
            self._tick_waiting(connection, crowded)
        elif exchange.is_owed and connection.inward.is_slow(now, self._worker.settings.timeout):
            exchange.late()

    def _free_script(self, connection: Connection) -> None:
        """Let a script go on whose answer waits for a slow peer, so that its place is free soon: the
        rest goes on disk (S18).
        """
        now, exchange = self._worker.now, connection.exchange
        child = exchange.child if exchange is not None else None
        since = connection.outward.since if child is None else child.paused_at
        if since and now - since > SLOW and not connection.is_spooled:
            if child is not None or connection.waiting > CHUNK:
                self._spill(connection)
            if child is not None and not connection.is_full:
                child.resume()

    def _tick_closing(self, connection: Connection) -> None:
        """See to a connection on which only the rest of a body comes, which nobody wants."""
        now, inward = self._worker.now, connection.inward
        if now > connection.closing and (
            self._worker.draining or now - inward.heard > LINGER or inward.is_slow(now)
        ):
            self.close(connection)

    def _tick_waiting(self, connection: Connection, crowded: bool) -> None:
        """See to a connection on which no whole request has come."""
        now, inward, codec = self._worker.now, connection.inward, connection.codec
        begun = not codec.is_idle
        if (self._worker.draining or crowded) and not codec.request:
            if now - inward.heard > (LAST if codec.keep else LAST_NEW):
                self.close(connection)
        elif begun and now - inward.since > self._worker.settings.timeout:
            self._worker.log("connection closed: a request did not arrive in time")
            self.lost(connection)

    def make_room(self) -> bool:
        """Close the slowest connection of those that wait for their peers, so that a new request has a
        place (S18). False where none has had its time yet.
        """
        now = self._worker.now
        found: Connection | None = None
        slowest = 0.0, 0.0
        for connection in self._all.values():
            pace = self._awaited(connection)
            if pace is None or now - pace.since <= LAST_NEW:
                continue
            rank = pace.rate(now), pace.since
            if found is None or rank < slowest:
                found, slowest = connection, rank
        if found is None:
            return False
        self._gave_way += 1
        self.lost(found)
        return True

    def _awaited(self, connection: Connection) -> "Pace | None":
        """Return the pace of a peer that is waited for; None where it waits for us."""
        exchange = connection.exchange
        if connection.waiting and not connection.is_held:
            return connection.outward
        if exchange is None or exchange.is_owed:
            return connection.inward
        return None
