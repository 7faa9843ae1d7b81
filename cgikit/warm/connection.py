"""One connection of the web server: what comes in on it, what goes out, and how it ends.

It reads and sends as the socket allows. What the bytes mean is decided by the codecs in
`cgikit.gateway`, what becomes of a request in `exchange.py`, when a peer is too slow in
`connections.py`, and how bytes wait in `outbox.py`.
"""

import select
import socket
import struct
from contextlib import suppress

from cgikit.gateway.pace import Pace
from cgikit.gateway.scgi import SCGI
from cgikit.gateway.wire import Aborted, BodyPiece, RequestStarted, WireError

from .loop import CHUNK, IN, OUT
from .outbox import Outbox

TYPE_CHECKING = False
if TYPE_CHECKING:
    from cgikit.gateway.fastcgi import FastCGI
    from cgikit.gateway.wire import Event

    from ..host.problem import Problem
    from .inhand import InHand, Registry
    from .loop import Loop
    from .outbox import Pieces


GONE = select.POLLHUP | select.POLLERR | select.POLLNVAL
LINGER = 5.0  # seconds of silence in which a peer may send more of a body that nobody wants
MAX_UNREAD = 64  # pieces that are read from a socket before it is closed without reading more
BROKEN = bytes(8)  # a record of version 0
RESET = struct.pack("ii", 1, 0)  # SO_LINGER


class Connection:
    """One connection of the web server.

    `.exchange` is the request in hand, None between two. `.inward` and `.outward` tell how fast the
    peer sends what it owes and takes what waits for it. `.closing` is when the connection has to be
    closed at last (0: it stays). `.is_open` tells whether it is still ours.
    """

    __slots__ = (
        "_loop", "_mask", "_registry", "closing", "codec", "exchange", "fd", "inward", "is_open",
        "outbox", "outward", "sock",
    )  # fmt: skip

    def __init__(
        self, sock: socket.socket, codec: "FastCGI | SCGI", loop: "Loop", registry: "Registry"
    ) -> None:
        self.sock = sock
        self.fd = sock.fileno()
        self.codec = codec
        self._loop = loop
        self._registry = registry
        self.exchange: InHand | None = None
        self.outbox = Outbox(sock)
        self.closing = 0.0
        self.inward = Pace(loop.now)
        self.outward = Pace(loop.now)
        self.is_open = True
        self._mask = IN
        loop.watch(self.fd, IN, self._on_events, self.crashed)

    # --- what comes in ------------------------------------------------------------------------

    def _on_events(self, mask: int) -> None:
        if mask & OUT:
            self._go_on_sending()
        if mask & IN:
            self.receive()
        elif mask & GONE:
            self.lost()

    def receive(self) -> None:
        """Read what has come, and pass it on."""
        try:
            data = self.sock.recv(CHUNK)
        except BlockingIOError:
            return
        except OSError:
            self.lost()
            return
        if not data:
            self._peer_ended()
            return
        codec, now = self.codec, self._loop.now
        if self.exchange is None and not self.closing and codec.is_idle:
            self.inward.begin(now)  # a request begins
        self.inward.move(len(data), now)
        if self.closing:
            return  # the rest of a body that nobody wants
        try:
            events = codec.receive(data)
        except WireError as error:
            self._registry.log(f"connection closed: {error}")
            self.lost()
            return
        replies = codec.replies()
        if replies:
            self.send([replies])
        for event in events:
            self._dispatch(event)
        if replies and not codec.keep and not codec.request:
            self.finished()

    def _dispatch(self, event: "Event") -> None:
        exchange = self.exchange
        if isinstance(event, RequestStarted):
            self.inward.begin(self._loop.now)  # its body
            exchange = self._registry.begin_exchange(self, event.request, event.variables)
            self.exchange = exchange
            self._loop.guarded(exchange.crashed, exchange.opened)
        elif exchange is None or exchange.request != event.request:
            pass  # it belongs to a request that has been answered
        elif isinstance(event, BodyPiece):
            self._loop.guarded(exchange.crashed, exchange.body, event.data)
        elif isinstance(event, Aborted):
            self._loop.guarded(exchange.crashed, exchange.abandon)

    def _peer_ended(self) -> None:
        """Handle a peer that sends no more. With SCGI it may have closed one direction and still wait
        for the answer.
        """
        exchange = self.exchange
        if isinstance(self.codec, SCGI) and exchange is not None:
            self._wait_for(self._mask & ~IN)
            self._loop.guarded(exchange.crashed, exchange.body, b"")
        else:
            self.lost()

    def _wait_for(self, mask: int) -> None:
        if mask != self._mask and self.is_open:
            self._mask = mask
            self._loop.rewatch(self.fd, mask)

    # --- what goes out ------------------------------------------------------------------------

    def send_output(self, request: int, data: bytes | memoryview) -> None:
        """Send a piece of an answer."""
        self.send(self.codec.pieces(request, data))

    def send_errors(self, request: int, data: bytes) -> None:
        """Send a piece of a script's standard error to the web server. SCGI drops it."""
        self.send([self.codec.errors(request, data)])

    def send(self, pieces: "Pieces") -> None:
        """Send now, or as soon as the peer takes it, or when it is released."""
        outbox = self.outbox
        waits = bool(outbox.waiting)
        outbox.put(pieces)
        if not waits and not outbox.is_held:
            try:
                outbox.flush()
            except OSError:
                self.lost()
                return
        if outbox.waiting:
            if not waits:
                self.outward.begin(self._loop.now)
            self._await_peer()

    def finish(self, request: int, status: int, data: bytes, *, is_owed: bool) -> None:
        """Send the end of an answer, with its last bytes. `is_owed` tells that the peer still sends a
        body that nobody will read.
        """
        codec = self.codec
        self._send_last(self.codec.finish(request, status, data))
        if not self.is_open:
            return  # lost while sending
        # Closed before its last record has come, even an empty one, the peer's write would fail, and
        # some then answer 502 or 503 instead of what they were sent
        if is_owed or not (codec.keep or codec.complete):
            self._linger()
        else:
            self.finished()

    def abort(self, request: int) -> None:
        """End an answer that the peer has asked to abort; what is held of it is dropped."""
        if self.outbox.is_held:
            self.outbox.drop()
            self.release()
        self.send([self.codec.finish(request)])
        self.finished()

    def _send_last(self, data: bytes) -> None:
        """Send the end of an answer. From now on the end of the connection does not end the script:
        the peer may close it as soon as it has everything.
        """
        self.exchange = None
        if self.outbox.is_held:
            self.outbox.is_held = False
            self.outward.begin(self._loop.now)
        self.send([data] if data else [])

    def _await_peer(self) -> None:
        """Wait until the peer takes more; so does the script if too much waits."""
        outbox = self.outbox
        if not outbox.is_held:
            self._wait_for(self._mask | OUT)
        child = self.exchange.child if self.exchange is not None else None
        if child is not None:
            full = outbox.is_full if outbox.is_spooled else outbox.waiting > child.ahead
            if full:
                child.pause()

    def restrain(self) -> None:
        """Send nothing until `release`; what is to be sent waits."""
        self.outbox.is_held = True
        self.spill()

    def release(self) -> None:
        """Send what was held, and hold no more."""
        if self.outbox.is_held:
            self.outbox.is_held = False
            self.outward.begin(self._loop.now)
            self._go_on_sending()

    def spill(self) -> None:
        """Have what waits go on disk, if it is much."""
        settings = self._registry.settings
        self.outbox.spill(settings.spool, settings.temporary)

    def _go_on_sending(self) -> None:
        outbox = self.outbox
        try:
            sent = outbox.flush()
        except OSError:
            self.lost()
            return
        if sent:
            self.outward.move(sent, self._loop.now)
        child = self.exchange.child if self.exchange is not None else None
        if outbox.waiting:
            self._wait_for(self._mask | OUT)
            if child is not None and outbox.is_spooled and not outbox.is_full:
                child.resume()
            return
        self._wait_for(self._mask & ~OUT)
        if self.exchange is not None:
            if child is not None:
                child.resume()
        elif self.closing:
            self._linger()
        elif not self.codec.keep or self._registry.draining:
            self.finished()

    # --- its end ------------------------------------------------------------------------------

    @property
    def is_between_requests(self) -> bool:
        """Whether nothing would be lost if another process went on with the connection."""
        codec = self.codec
        return codec.keep and codec.is_idle and not self.outbox.waiting and not self.closing

    def finished(self) -> None:
        """Wait for the next request, or close once everything is sent."""
        self.exchange = None
        self.inward.begin(self._loop.now)
        draining = self._registry.draining
        if draining and self.hand_over():
            return
        if self.codec.keep and not draining and not self.closing:
            self._wait_for(self._mask | IN)
        elif not self.outbox.waiting:
            self.close()

    def hand_over(self) -> bool:
        """Let another worker go on with the connection. False if that is not possible."""
        if not self.is_open or not self._registry.hand_over(self):
            return False
        self._forget()
        self.sock.close()  # and no shutdown: it stays open
        return True

    def _linger(self) -> None:
        """Close a connection whose peer is still sending a body that nobody reads.

        If it were closed with bytes unread, the socket would be reset and the peer might lose the
        answer.
        """
        self.exchange = None
        self.codec.keep = False
        if not self.closing:
            self.inward.begin(self._loop.now)
        self.closing = self._loop.now + LINGER
        if not self.outbox.waiting:
            with suppress(OSError):
                self.sock.shutdown(socket.SHUT_WR)
        self._wait_for(self._mask | IN)

    def lost(self) -> None:
        """Close the connection of a peer that is gone, or wrong, and end what runs for it."""
        exchange, self.exchange = self.exchange, None
        self.close()
        if exchange is not None:
            self._loop.guarded(exchange.crashed, exchange.abandon)

    def cut(self) -> None:
        """Close the connection so that the peer can tell that its answer is not whole.

        With FastCGI the end record is missing, and an invalid record follows: nginx takes the end of a
        connection for that of the answer, unless `fastcgi_keep_conn` is on. With SCGI an orderly end is
        the end of the answer, so the connection is reset; over a UNIX socket a peer cannot tell.
        """
        if self.is_open and isinstance(self.codec, SCGI):
            with suppress(OSError):
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            self._forget()
            self.sock.close()
            self.outbox.drop()
        else:
            self.codec.keep = False
            self._send_last(BROKEN)
            if self.is_open:
                self.finished()

    def close(self) -> None:
        """Close the connection. Does nothing if it is closed."""
        if not self.is_open:
            return
        self._forget()
        # A child that was forked a moment ago may hold it too, and would keep it open
        with suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()
        self.outbox.drop()

    def _forget(self) -> None:
        self.is_open = False
        self._loop.unwatch(self.fd)
        self._registry.closed(self)

    def crashed(self, incident: str) -> None:
        """End the connection after an error: the request in hand gets a page, and there is no next one,
        since the codec might mistake the next bytes for anything.
        """
        try:
            self.codec.keep = False
            exchange = self.exchange
            if exchange is not None:
                exchange.crashed(incident)
            if not self.outbox.waiting and not self.closing:
                self.close()
        except Exception:
            self.drop()

    def drop(self) -> None:
        """Close the connection when nothing else can be relied on any more. Never raises."""
        self.exchange = None
        self.is_open = False
        with suppress(Exception):
            self._loop.unwatch(self.fd)
        with suppress(Exception):
            self._registry.closed(self)
        with suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        with suppress(OSError):
            self.sock.close()
        with suppress(OSError):
            self.outbox.drop()

    def give_up(self, problem: "Problem") -> None:
        """Answer the current request with a problem, as far as the peer takes it now: the process ends.
        Never raises.
        """
        with suppress(Exception):
            if self.exchange is not None:
                self.exchange.give_up(problem)
            for _ in range(MAX_UNREAD):  # closed with bytes unread, the peer may lose the answer
                if not self.sock.recv(CHUNK):
                    break
