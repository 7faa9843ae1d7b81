"""Internal. One connection from the web server (the peer), and the request that is open on it.

This module waits for bytes and sends them; every wait has a limit. `gateway.fastcgi` decides what the
bytes mean, `receivedbody.py` keeps the body, `answer.py` answers the request, `worker.py` decides when
to wait.

nginx stops sending a body once it has forwarded a header, and other servers do not read the answer
before they have sent all of the body. So while the peer owes a part of the body, the answer is held
back and the body is received, whether or not the handler reads it.
"""

import os
import select
import socket
from time import monotonic

from ..gateway.fastcgi import FastCGI
from ..gateway.pace import RATE as _RATE
from ..gateway.pace import SILENCE as _SILENCE
from ..gateway.spool import Spool
from ..gateway.wire import Aborted, BodyPiece, WireError
from ..process import absolute, write_log
from .receivedbody import CHUNK as _CHUNK
from .receivedbody import MEMORY as _MEMORY
from .receivedbody import UNLIMITED as _UNLIMITED
from .receivedbody import ReceivedBody

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..gateway.wire import Event
    from .log import Log

_DRAINED = 5  # seconds for the rest of a body that the handler does not read
_MAX_HELD = 64 << 20  # bytes of an answer that are stored on disk while its handler runs
_AT_ONCE = 16  # reads before the next connection gets its turn

# Phases of a connection in which the loop of the worker does the work.
GATHERING = "gathering"  # receives a body of unknown length, before the handler is called
DELIVERING = "delivering"  # sends a complete answer, and receives the rest of the body
LINGERING = "lingering"  # waits until the peer closes, or has sent the end of the body


class PersistentConnection:
    """A connection that was accepted, and its current request.

    `.number` is the number of the request, `.variables` are its meta-variables. The flags: `.begun`, a
    part of the answer was sent; `.answered`, the answer is complete; `.gone`, nobody waits for it any
    more; `.closed`, nothing can be sent any more; `.last`, no other request is to follow. `.phase` is
    one of the three phases above, "" between requests and while a handler runs. `.since` and `.mask`
    belong to the worker that waits for the connection. `.log` is flushed before the end of the answer.
    """

    __slots__ = (
        "_body", "_deadline", "_directory", "_heard", "_out", "_rest", "_sent", "_stalled", "_waited",
        "answered", "begun", "closed", "codec", "gone", "last", "log", "mask", "number", "phase",
        "since", "socket", "variables",
    )  # fmt: skip

    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self.codec = FastCGI()
        self.closed = self.last = False
        self.answered = False
        self.phase = ""
        self.mask = 0  # what the worker polls for
        self.since = 0.0
        self.log: Log | None = None
        self._body = ReceivedBody()
        self._out: Spool | None = None  # what has not been sent of the answer
        self._rest: bytes | memoryview = b""  # the rest of a piece that was sent in part
        self._deadline = self._heard = 0.0
        self._sent = 0

    def begin(
        self,
        number: int,
        events: "Iterable[Event]" = (),
        variables: "dict[str, str] | None" = None,
        limit: int = _UNLIMITED,
        directory: str | None = None,
    ) -> None:
        """Begin a request, with the events that were received together with it. At most `limit` bytes
        of the body are kept, in `directory` if they are many.

        If the length of the body is not known before its end, `.phase` is then `GATHERING`.
        """
        self.number = number
        self.variables = {} if variables is None else variables
        self.gone = self.closed
        self.begun = self.answered = False
        self._sent = 0
        self._waited = self._stalled = 0.0  # seconds
        self._directory = absolute(directory or os.environ.get("TMPDIR") or "/tmp")  # noqa: S108
        length, kept = self._expected(limit)
        self._body.close()
        self._body = ReceivedBody(length, kept, self._directory)
        self._body.ended = self.closed
        self._take(events)

    def _expected(self, limit: int) -> tuple[int, int]:
        """Return how many bytes the peer is to send, and how many of them are to be kept."""
        text = self.variables.get("CONTENT_LENGTH", "")
        if text == "-1":  # Go sends this, and so does Caddy, if the length is not known
            text = self.variables["CONTENT_LENGTH"] = ""
        if text:
            digits = text.isascii() and text.isdigit() and len(text) < 19
            length = int(text) if digits else 0
            # A body over the limit is refused before the handler sees any of it.
            return length, length if length <= limit else 0
        if self.variables.get("REQUEST_METHOD", "GET") in ("GET", "HEAD"):
            return 0, 0
        self.phase = GATHERING
        self._heard = monotonic()
        self._deadline = self._heard + _SILENCE
        return _UNLIMITED, limit

    @property
    def is_owed(self) -> bool:
        """Whether the peer has yet to send some of the body."""
        return self._body.is_owed

    @property
    def is_settled(self) -> bool:
        """Whether nothing of the answer is left to send."""
        return not self.codec.request and not self._has_waiting()

    def disown(self) -> None:
        """Leave the connection to another process: send nothing on it and take nothing from it."""
        self._lose()

    def _lose(self) -> None:
        """Treat the peer as gone: nothing can be sent, and nothing more comes."""
        self.closed = self.gone = self._body.ended = True

    def close(self) -> None:
        """Close the connection. The peer sees its end even if a process that a handler has started
        still holds the socket open.
        """
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it was no longer connected
        self.release()

    def release(self) -> None:
        """Close the socket in this process only; another one continues to use the connection."""
        self.closed = True
        self.socket.close()
        self._body.close()
        if self._out is not None:
            self._out.close()

    # --- the body ---------------------------------------------------------------------------------

    def look(self) -> "list[Event] | None":
        """Return the events that have been received, without waiting; None if there are none."""
        try:
            data = self.socket.recv(_CHUNK, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return None
        except OSError:
            data = b""
        return self._understood(data)

    def read(self, size: int = -1) -> bytes:
        """Return at most `size` bytes of the body; b"" at its end, even if that comes too early.

        Raises `BodyNotReceived`: 408 if the body comes too slowly, 507 or 503 if it could not be stored
        on disk.
        """
        while (data := self._body.read(size)) is None:
            self._receive()
        return data

    def is_wanted(self) -> bool:
        """Return, without waiting, whether the client is still there, as far as that can be known."""
        if not self.gone:
            self.take()
        return not self.gone

    def take(self) -> None:
        """Receive what is there of the body, without waiting, and keep it for its reader."""
        for _ in range(_AT_ONCE):
            if self.gone or not (events := self.look()):
                return
            self._take(events)
            if not self.is_owed:
                return

    def gather(self, now: float) -> bool:
        """Receive what is there of a body of unknown length. Return whether it is complete or is no
        longer waited for; its length is then in the variables.
        """
        body = self._body
        before = body.received
        self.take()
        if body.received > before:
            self._heard = now
        elif now >= self.deadline():
            body.give_up()
        if body.is_owed and body.received <= body.limit and body.failed is None:
            return False
        self.phase = ""
        # After an error, and beyond the limit, the length is more than can be read: the handler gets
        # the error when it asks for the body.
        length = body.received + (body.failed is not None)
        if length or self.variables.get("HTTP_TRANSFER_ENCODING"):
            self.variables["CONTENT_LENGTH"] = str(length)
            self.variables.pop("HTTP_TRANSFER_ENCODING", None)
        return True

    # --- the answer -------------------------------------------------------------------------------

    def output(self, data: bytes) -> None:
        """Send a piece of the answer, or hold it back while the peer owes a part of the body."""
        data = self.codec.output(self.number, data)
        if self._must_hold():
            self._hold(data)
            while self._must_hold() and self._out is not None and self._out.is_full:
                if not self._wait(select.POLLIN):
                    self._body.give_up()
            if not self._must_hold():
                self._catch_up()
            return
        self._catch_up()
        self.begun = True
        self.send(data)

    def finish(self, data: bytes = b"") -> None:
        """Send the last piece of the answer, and its end. What is held back, and what the peer does not
        accept at once, is sent by `go_on`.
        """
        if self.log is not None:
            self.log.flush()
        if self._must_hold():
            self._hold(self.codec.output(self.number, data))
            self._deadline = monotonic() + _DRAINED
        else:
            self._end(data)
        self.answered = True
        self.phase = DELIVERING
        self._body.discard()

    def take_back(self) -> bool:
        """Drop an answer of which nothing was sent yet; return False if something was."""
        if not self.begun and self._out is not None:
            self._out.close()
        return not self.begun

    def send(self, data: bytes | memoryview) -> None:
        """Send all of `data`, before anything held back, or find that the peer has disconnected."""
        while data and not self.closed:
            done = self._sendable(data)
            if not done and not self.closed and not self._wait(select.POLLOUT):
                self.closed = self.gone = True  # the peer does not read
            data = memoryview(data)[done:]

    # --- what the loop does with an answer that is complete ---------------------------------------

    def go_on(self, now: float) -> None:
        """Continue without waiting: receive and drop the rest of the body, send the rest of the answer.
        Sets `.closed` if the deadline has passed.
        """
        if self.phase == LINGERING:
            self.look()  # drops what it receives, and notices the end
        elif self.codec.request:  # the answer is held back
            self.take()
            if now >= self._deadline or not self.is_owed or self.gone:
                self._end(b"")
        else:
            self._flush()
        if not self.codec.request and now >= self.deadline():
            self.closed = True

    def wishes(self) -> int:
        """Return the events to poll for (a mask for `select.poll`)."""
        held = bool(self.codec.request) or not self._has_waiting()
        return select.POLLIN if held else select.POLLOUT

    def deadline(self) -> float:
        """Return when the worker must look at this connection again at the latest, in a phase (seconds
        of the monotonic clock).
        """
        if self.phase == GATHERING:
            return min(self._heard + _SILENCE, self._deadline + self._body.received / _RATE)
        if self.phase == LINGERING or self.codec.request:
            return self._deadline
        return min(self._heard + _SILENCE, self._deadline + self._sent / _RATE)

    def postpone(self, seconds: float) -> None:
        """Move the deadline by a time in which the worker could not look at this connection."""
        self._deadline += seconds
        self._heard += seconds

    def linger(self) -> None:
        """Close after the last answer. If the end of the body has not been received, only tell the peer
        that nothing more comes, and let `go_on` close later: closing with unread bytes would reset the
        connection, and the peer could lose the answer.
        """
        if self._body.ended:
            self.closed = True
            return
        self.phase = LINGERING
        self._deadline = monotonic() + _DRAINED
        try:
            self.socket.shutdown(socket.SHUT_WR)
        except OSError:
            self.closed = True

    # --- inside -----------------------------------------------------------------------------------

    def _must_hold(self) -> bool:
        """Receive what is there of the body; return whether the peer still owes a part of it."""
        if self.is_owed and not self.gone:
            self.take()
        return self.is_owed and not self.gone

    def _hold(self, data: bytes | memoryview) -> None:
        if self._out is None:
            self._out = Spool(_MEMORY, _MAX_HELD, self._directory)
        self._out.write(data)

    def _has_waiting(self) -> bool:
        return bool(self._rest) or (self._out is not None and self._out.size > 0)

    def _catch_up(self) -> None:
        """Send what was held back."""
        while self._out is not None and self._out.size and not self.closed:
            self.begun = True
            self.send(self._out.read(_CHUNK))

    def _end(self, data: bytes) -> None:
        """Send the answer and its end as far as possible without waiting."""
        self.begun = True
        data = self.codec.finish(self.number, 0, data)
        self._heard = monotonic()
        self._deadline = self._heard + _SILENCE
        self._sent = 0
        if not self._has_waiting():
            done = self._sendable(data)
            data = memoryview(data)[done:]  # type: ignore[assignment]
        if data and not self.closed:
            self._hold(data)
            self._flush()

    def _flush(self) -> None:
        """Send what was held back, without waiting."""
        while not self.closed and self._has_waiting():
            if not self._rest and self._out is not None:
                self._rest = self._out.read(_CHUNK)
            done = self._sendable(self._rest)
            if not done:
                return
            self._rest = memoryview(self._rest)[done:]
            self._heard = monotonic()

    def _sendable(self, data: bytes | memoryview) -> int:
        """Send as many bytes as possible without waiting; return their number."""
        if self.closed:
            return 0
        try:
            done = self.socket.send(data, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return 0
        except OSError:
            self.closed = self.gone = True
            return 0
        self._sent += done
        return done

    def _receive(self) -> None:
        """Wait for more of the body."""
        while (events := self.look()) is None:
            if not self._wait(select.POLLIN):
                raise self._body.give_up()
        self._take(events)
        if not self.is_owed:
            self._catch_up()

    def _wait(self, mask: int) -> bool:
        """Wait until something can be received or sent; return False if that takes too long. While it
        waits to send, it receives what is there of the body.
        """
        sending = mask == select.POLLOUT
        began = monotonic()
        moved, spent = (
            (self._sent, self._stalled) if sending else (self._body.received, self._waited)
        )
        end = began + min(_SILENCE, _SILENCE + moved / _RATE - spent)
        found = False
        while not found and (left := end - monotonic()) > 0:
            poll = select.poll()
            poll.register(self.socket, mask | select.POLLIN if self.is_owed else mask)
            for _, event in poll.poll(left * 1_000):
                if sending and event & select.POLLIN:
                    self.take()
                found = not sending or self.closed or bool(event & ~select.POLLIN)
        if sending:
            self._stalled += monotonic() - began
        else:
            self._waited += monotonic() - began
        return found

    def _understood(self, data: bytes) -> "list[Event]":
        """Return the events in what was received, and send replies that are due immediately."""
        try:
            events = self.codec.receive(data)
            if replies := self.codec.replies():
                self._reply(replies)
        except WireError as error:
            write_log(f"cgikit: a connection was closed: {error}\n")
            data, events = b"", []
        if not data:
            self._lose()
        return events

    def _reply(self, data: bytes) -> None:
        """Send a reply that belongs to no request. If the peer does not read it, close: a peer that
        asks and does not read is not waited for.
        """
        if self._has_waiting() and not self.codec.request:
            self._hold(data)
        elif self._sendable(data) < len(data):
            self._lose()

    def _take(self, events: "Iterable[Event]") -> None:
        for event in events:
            if isinstance(event, BodyPiece):
                if event.data:
                    self._body.add(event.data)
                else:
                    self._body.ended = True
            elif isinstance(event, Aborted):
                self.gone = self._body.ended = True
