"""Internal. One connection from the web server, and the body of the request that is open on it.

Waiting for bytes and sending them, with a limit to each wait. What the bytes mean is decided in
`gateway.fastcgi`, what becomes of the request in `answer.py`.
"""

import socket
from struct import pack
from time import monotonic

from ..errors import HTTPError
from ..gateway.fastcgi import FastCGI
from ..gateway.wire import Aborted, Body, WireError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import NoReturn

    from ..gateway.wire import Event
    from .log import Log

_CHUNK = 65_536
_SILENCE = (
    60  # seconds in which nothing of the body comes, or nothing of the answer goes. httpd: 60
)
_RATE = (
    1_000  # bytes a second that a body brings after the first minute. httpd's mod_reqtimeout: 500
)
_DRAINED = 5  # seconds, and
_MOST_DRAINED = 1 << 30  # bytes of a body that nobody wants to read
_AT_ONCE = 65_536  # bytes that go into the buffer of a socket: nobody has to wait


class Connection:
    """A connection that was accepted.

    `.ended` tells that all of the body has come, `.begun` that something of the answer went out,
    `.gone` that nobody wants it any more, `.closed` that nobody can be told anything. `.number` is
    that of the request; `.since` is for whoever waits for it, and `.log` has the last word before the
    end.
    """

    __slots__ = (
        "_at",
        "_data",
        "_deadline",
        "_received",
        "_timed",
        "begun",
        "closed",
        "codec",
        "ended",
        "gone",
        "log",
        "number",
        "since",
        "socket",
    )

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self.codec = FastCGI()
        self.closed = False
        self.since = 0.0
        self.log: Log | None = None
        self._timed = False

    def begin(self, number: int, events: "Iterable[Event]") -> None:
        """Start on a request, with the events that came together with it."""
        self.number = number
        self.gone = self.ended = self.begun = False
        self._data, self._at = b"", 0  # what of the body is here, and how much of that was read
        self._received = 0
        self._deadline = 0.0
        self._take(events)

    def disown(self) -> None:
        """Have nothing more to do with a connection that is another process's: say nothing on it, and
        take nothing from it.
        """
        self.closed = self.gone = self.ended = True

    def look(self) -> "list[Event] | None":
        """Return what has come, without waiting; None where nothing has."""
        try:
            data = self.socket.recv(_CHUNK, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return None
        except OSError:
            data = b""
        return self._understood(data)

    def read(self, size: int = -1) -> bytes:
        """Read at most `size` bytes of the body; b"" at its end, also where it breaks off.

        Raises `HTTPError` 408 where it comes too slowly.
        """
        while self._at == len(self._data):
            if self.ended:
                return b""
            self._receive()
        if not self._at and 0 < len(self._data) <= size:
            self._at = len(self._data)
            return self._data
        end = len(self._data) if size < 0 else self._at + size
        data = self._data[self._at : end]
        self._at += len(data)
        return data

    def drain(self) -> None:
        """Read and drop what is left of the body.

        A server may send all of it before it reads, and would never come to the answer. And closing
        with bytes unread resets the connection: the server would lose the answer.
        """
        if self.ended:
            return
        end, most = monotonic() + _DRAINED, self._received + _MOST_DRAINED
        try:
            while not self.ended and monotonic() < end and self._received < most:
                self._receive()
                self._data, self._at = b"", 0
        except HTTPError:
            pass  # who is as slow as that loses the answer

    def is_wanted(self) -> bool:
        """Tell, without waiting, whether the client is still there, as far as it can be known: while
        the body is yet to come nobody looks, because it would have to be kept.
        """
        if self.ended and not self.gone:
            self._take(self.look() or ())
        return not self.gone

    def output(self, data: bytes) -> None:
        """Send a piece of the answer."""
        self.begun = True
        self.send(self.codec.output(self.number, data))

    def finish(self, data: bytes = b"") -> None:
        """Send the last piece of the answer, and its end."""
        self.begun = True
        if self.log is not None:
            self.log.flush()
        self.send(self.codec.finish(self.number, 0, data))

    def send(self, data: bytes) -> None:
        """Send all of `data`, or find out that nobody is left."""
        if self.closed or not data:
            return
        if len(data) > _AT_ONCE:
            self._limit()
        try:
            self.socket.sendall(data)
        except OSError:  # BlockingIOError: a minute in which nothing was taken
            self.closed = self.gone = True

    def _receive(self) -> None:
        """Wait for more of the body."""
        self._limit()
        now = monotonic()
        self._deadline = self._deadline or now + _SILENCE
        if now > self._deadline + self._received / _RATE:
            self._too_slow()
        try:
            data = self.socket.recv(_CHUNK)
        except BlockingIOError:
            self._too_slow()
        except OSError:
            data = b""
        self._take(self._understood(data))

    def _too_slow(self) -> "NoReturn":
        self.ended = True
        raise HTTPError(408, "the body came too slowly")

    def _understood(self, data: bytes) -> "list[Event]":
        """Return the events in what was read, and send what is to be answered at once."""
        try:
            events = self.codec.receive(data)
            if replies := self.codec.replies():
                self.send(replies)
        except WireError as error:
            import sys

            print(f"cgikit: a connection was closed: {error}", file=sys.stderr)  # noqa: T201
            data, events = b"", []
        if not data:
            self.closed = True
        return events

    def _take(self, events: "Iterable[Event]") -> None:
        pieces = []
        for event in events:
            if isinstance(event, Body):
                if event.data:
                    pieces.append(event.data)
                else:
                    self.ended = True
            elif isinstance(event, Aborted):
                self.gone = self.ended = True
        if self.closed:
            self.gone = self.ended = True
        if pieces:
            new = b"".join(pieces)
            self._received += len(new)
            self._data = self._data[self._at :] + new
            self._at = 0

    def _limit(self) -> None:
        """Let no call on this connection wait for longer than a minute."""
        if not self._timed:
            limit = pack("ll", _SILENCE, 0)
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
            self._timed = True
