"""The connections of a worker: how many there may be, which are too slow, and which have to give way.

One connection is in `connection.py`; where connections come from is in `acceptor.py`.
"""

import resource

from cgikit.gateway.fastcgi import FastCGI
from cgikit.gateway.listener import send_at_once
from cgikit.gateway.scgi import SCGI

from .acceptor import Acceptor
from .connection import LINGER, Connection
from .loop import CHUNK

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from cgikit.gateway.handover import Handover
    from cgikit.gateway.pace import Pace

    from ..host.guard import OnError
    from ..host.problem import Problem
    from .inhand import InHand
    from .loop import Loop
    from .settings import Settings

MAX_CONNECTIONS = 1_024
STALLED = 120.0  # seconds until a peer that takes nothing of its answer is dropped
SLOW = 1.0  # seconds that a peer may let an answer wait before its script is freed from it
SWEPT = 60.0  # seconds between two lines about connections that had to give way
# Seconds in which a next request may come while draining, or while others wait for a place, and the
# same for the first request of a new connection
LAST, LAST_NEW = 1.0, 3.0


class Connections:
    """All connections of one worker. `.all` has them by descriptor, `.draining` is set once no further
    requests are taken.

    `begin_exchange` makes an exchange of a request that has come on a connection; `log` takes one line.
    """

    def __init__(
        self,
        loop: "Loop",
        settings: "Settings",
        begin_exchange: "Callable[[Connection, int, dict[str, str]], InHand]",
        log: "Callable[[str], None]",
    ) -> None:
        self._loop = loop
        self.settings = settings
        self.begin_exchange = begin_exchange
        self.log = log
        self.all: dict[int, Connection] = {}
        self.draining = False
        self._acceptor: Acceptor | None = None
        # Scripts need descriptors too: three for each, and one for what waits on disk
        soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        self._most = MAX_CONNECTIONS if soft < 0 else min(MAX_CONNECTIONS, max(16, soft * 2 // 3))
        self._gave_way = 0  # those that were closed to make room, since the log said so
        self._logged_at = 0.0

    # --- they come and go ---------------------------------------------------------------------

    def open(self, listener: "socket.socket", handover: "Handover", give_up: "OnError") -> None:
        """Take connections from a listening socket, and from other workers."""
        peers = self.settings.peers
        self._acceptor = Acceptor(self._loop, listener, handover, peers, self.begin, give_up)
        self._acceptor.open()

    def begin(self, sock: "socket.socket") -> None:
        """Take a connection that was accepted, or handed over by another worker."""
        fastcgi = self.settings.protocol == "fastcgi"
        codec = FastCGI(MAX_CONNECTIONS, self.settings.children) if fastcgi else SCGI()
        send_at_once(sock)
        connection = Connection(sock, codec, self._loop, self)
        self.all[connection.fd] = connection
        if len(self.all) >= self._most and not self.make_room() and self._acceptor is not None:
            self._acceptor.shut()
        self._loop.guarded(connection.crashed, connection.receive)

    def closed(self, connection: Connection) -> None:
        """Forget a connection that is no longer ours: another one has a place now."""
        if self.all.get(connection.fd) is connection:
            del self.all[connection.fd]
        self._accept_again()

    def _accept_again(self) -> None:
        if self._acceptor is not None:
            self._acceptor.open()

    def hand_over(self, connection: Connection) -> bool:
        """Hand a connection to another worker. False if that is not possible: we keep it."""
        acceptor = self._acceptor
        if acceptor is None or not connection.is_between_requests:
            return False
        return acceptor.hand_over(connection.sock)

    def drain(self, *, replaced: bool) -> None:
        """Take no requests but those that have come. On a connection that waits for a request one may
        be on its way: if this worker is `replaced`, another one gets the connection, otherwise it
        stays open for a moment.
        """
        if self._acceptor is not None:
            self._acceptor.end(replaced)
        self.draining = True
        for connection in list(self.all.values()):
            if connection.exchange is None:
                self._loop.guarded(connection.crashed, connection.hand_over)

    def give_up(self, problem: "Problem") -> None:
        """Answer everything in hand with a problem: the process ends. Never raises."""
        for connection in list(self.all.values()):
            connection.give_up(problem)

    # --- the clock ----------------------------------------------------------------------------

    def tick(self) -> None:
        """Look at the clock, several times a second."""
        crowded = len(self.all) >= self._most
        for connection in list(self.all.values()):
            ends = connection.crashed
            self._loop.guarded(ends, self._tick_connection, connection, crowded)
        if self._gave_way and self._loop.now - self._logged_at > SWEPT:
            self.log(f"{self._gave_way} slow connections were closed to make room")
            self._gave_way, self._logged_at = 0, self._loop.now
        if len(self.all) < self._most or self.make_room():
            self._accept_again()

    def _tick_connection(self, connection: Connection, crowded: bool) -> None:
        now, exchange = self._loop.now, connection.exchange
        if connection.outbox.waiting and not connection.outbox.is_held:
            if connection.outward.is_slow(now, STALLED):
                self.log("connection closed: the web server takes too little of an answer")
                connection.lost()
            else:
                self._free_script(connection)
        elif connection.closing:
            self._tick_closing(connection)
        elif exchange is None:
            self._tick_waiting(connection, crowded)
        elif exchange.is_owed and connection.inward.is_slow(now, self.settings.timeout):
            exchange.body_timed_out()

    def _free_script(self, connection: Connection) -> None:
        """Let a script go on whose answer waits for a slow peer, so that its place is free soon: the
        rest goes on disk (S18).
        """
        now, exchange, outbox = self._loop.now, connection.exchange, connection.outbox
        child = exchange.child if exchange is not None else None
        since = connection.outward.since if child is None else child.paused_at
        if since and now - since > SLOW and not outbox.is_spooled:
            if child is not None or outbox.waiting > CHUNK:
                connection.spill()
            if child is not None and not outbox.is_full:
                child.resume()

    def _tick_closing(self, connection: Connection) -> None:
        """Handle a connection on which only the rest of a body comes, which nobody wants."""
        now, inward = self._loop.now, connection.inward
        if now > connection.closing and (
            self.draining or now - inward.heard > LINGER or inward.is_slow(now)
        ):
            connection.close()

    def _tick_waiting(self, connection: Connection, crowded: bool) -> None:
        """Handle a connection on which no whole request has come."""
        now, inward, codec = self._loop.now, connection.inward, connection.codec
        if (self.draining or crowded) and not codec.request:
            if now - inward.heard > (LAST if codec.keep else LAST_NEW):
                connection.close()
        elif not codec.is_idle and now - inward.since > self.settings.timeout:
            self.log("connection closed: a request did not arrive in time")
            connection.lost()

    def make_room(self) -> bool:
        """Close the slowest of the connections that wait for their peers, so that a new request has a
        place (S18). False if none has had its time yet.
        """
        now = self._loop.now
        found: Connection | None = None
        slowest = 0.0, 0.0
        for connection in self.all.values():
            pace = _awaited(connection)
            if pace is None or now - pace.since <= LAST_NEW:
                continue
            rank = pace.rate(now), pace.since
            if found is None or rank < slowest:
                found, slowest = connection, rank
        if found is None:
            return False
        self._gave_way += 1
        found.lost()
        return True


def _awaited(connection: Connection) -> "Pace | None":
    """Return the pace of the peer if it is the peer that is waited for, otherwise None."""
    exchange = connection.exchange
    if connection.outbox.waiting and not connection.outbox.is_held:
        return connection.outward
    if exchange is None or exchange.is_owed:
        return connection.inward
    return None
