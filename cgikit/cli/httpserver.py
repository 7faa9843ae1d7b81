"""HTTP for `cgikit serve`: waitress, its limits, and which connections are accepted.

All code that depends on the internals of waitress is in this file and in `channel.py`, which handles
one connection. docs/reference/serve.md lists the limits.
"""

import contextlib
import logging
import socket
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.server import TcpWSGIServer

from cgikit.host.answer import AnswerCut
from cgikit.host.guard import Guard
from cgikit.host.logtext import one_line
from cgikit.host.output import ScriptResponse
from cgikit.host.page import error_page, own_response
from cgikit.host.problem import Problem
from cgikit.host.wsgi import Host

from .channel import HIGH_WATER, Channel, Threads
from .guarded import Guarded, turn

THREADS = 16  # scripts that run at once; further requests wait
BODY = 1 << 30  # bytes of a request's body. httpd's LimitRequestBody: 1 GiB
BODIES = 4 << 30  # bytes of all bodies that are being received, or read by a script
HEADER = 65_536  # bytes of a request's header. nginx: 32 KiB
IN_MEMORY = 1 << 18  # bytes of a body, and of an answer, kept in memory; more go to disk
CONNECTIONS = 1_000
WAITING = 240  # scripts that wait for slow clients, besides those that run
STALLED = 120  # seconds until a client that neither sends nor takes anything is dropped
JOIN = 5  # seconds for the threads to end after their scripts were ended
DESCRIPTORS = 8_192  # that all of this may need
_OWN = 200  # of them, for the listener, logs, modules, and pipes while a script is started
_OF_A_CONNECTION = 5  # its socket, a file for its body, up to three for answers
_OF_A_SCRIPT = 4  # three pipes, and what waits for them
_TURNED_AWAY = 64  # refused connections kept open until their client has read the answer
_READING = 5.0  # seconds for that
_TOLD = 10.0  # seconds between two lines about it in the log
_WEIGHED = 64  # counts of all bodies while `BODIES` bytes arrive


@dataclass(frozen=True)
class Capacity:
    """The limits on connections, on scripts that wait for slow clients, and on bytes of bodies."""

    connections: int = CONNECTIONS
    waiting: int = WAITING
    bodies: int = BODIES


def capacity(descriptors: int) -> Capacity:
    """Return the limits that so many descriptors allow, so that a script can always start.

    Half of the connections may wait with a script. With 8,192 descriptors, neither limit depends on
    them.
    """
    free = descriptors - _OWN - THREADS * _OF_A_SCRIPT
    most = max(8, free // (_OF_A_CONNECTION + _OF_A_SCRIPT // 2))
    return Capacity(min(CONNECTIONS, most), min(WAITING, most // 2))


class Server:
    """A waitress server on a listening socket."""

    def __init__(self, server: "_Listening") -> None:
        self._server = server

    def run(self) -> None:
        """Serve until `KeyboardInterrupt`."""
        # Not server.run(), which swallows the interrupt and waits for the running scripts
        while self._server._map:
            turn(self._server._map, timeout=1)

    def finish(self) -> None:
        """Close every connection and wait for the threads."""
        for channel in list(self._server.active_channels.values()):
            channel.request = None  # the client did not end it
            channel.handle_close()
        self._server.task_dispatcher.shutdown(timeout=JOIN)
        self._server.close()


def create(
    host: Host,
    listener: socket.socket,
    *,
    software: str,
    log: Callable[[str], None],
    room: Capacity,
    front: Callable[..., Iterable[bytes]] | None = None,
) -> Server:
    """Return a server for a host on a listening socket. `log` takes one line for each event; `front` is
    the WSGI application that gets the requests, the host itself by default.
    """
    _adopt_logger(log)
    settings = Adjustments(
        sockets=[listener],
        ident=software,
        server_name=listener.getsockname()[0],
        max_request_body_size=BODY,
        max_request_header_size=HEADER,
        inbuf_overflow=IN_MEMORY,
        outbuf_overflow=IN_MEMORY,
        outbuf_high_watermark=HIGH_WATER,
        connection_limit=DESCRIPTORS,  # never reached, because excess connections get an answer
        channel_timeout=STALLED,
        channel_request_lookahead=1,  # reads on while a script runs, and so sees the client leave
        clear_untrusted_proxy_headers=True,  # S20
        log_socket_errors=False,  # a client that leaves is not an event
    )
    return Server(_Listening(host, front or host, listener, settings, log, room))


class _Listening(Guarded, TcpWSGIServer):  # type: ignore[misc]  # waitress has no types
    """The listening socket, and all connections accepted from it."""

    channel_class = Channel

    def __init__(
        self,
        host: Host,
        front: Callable[..., Iterable[bytes]],
        listener: socket.socket,
        settings: Any,
        log: Callable[[str], None],
        room: Capacity,
    ) -> None:
        self.log_line = log
        self.guard = Guard(log, self._go_on)
        self._host = host
        self._room = room
        self._arrived = 0  # bytes of bodies since all of them were looked at
        self._turned_away: list[_TurnedAway] = []
        self._told = self._told_disk = -_TOLD
        super().__init__(
            front,
            {},
            _sock=listener,
            dispatcher=Threads(THREADS, room.waiting),
            adj=settings,
            sockinfo=(listener.family, listener.type, listener.proto, listener.getsockname()),
            bind_socket=False,
        )

    def handle_accept(self) -> None:
        """Accept a connection, or answer 503: no answer at all would look like a failure."""
        if len(self.active_channels) < self._room.connections:
            super().handle_accept()
            return
        try:
            connection, _ = self.socket.accept()
        except OSError:  # it has left already
            return
        now = time.monotonic()
        if now - self._told >= _TOLD:
            self._told = now
            self.log_line(
                f"server: all {self._room.connections} connections are in use; more get 503"
            )
        self._turned_away = [one for one in self._turned_away if one.socket is not None]
        if len(self._turned_away) < _TURNED_AWAY:
            self._turned_away.append(_TurnedAway(connection, self._map, now + _READING, _FULL))
        else:
            with contextlib.suppress(OSError):
                connection.send(_FULL)
            connection.close()

    def linger(self, connection: socket.socket) -> None:
        """Close a connection when its client has read the answer and closed it, or after 5 seconds."""
        now = time.monotonic()
        self._turned_away = [one for one in self._turned_away if one.socket is not None]
        if len(self._turned_away) < _TURNED_AWAY:
            with contextlib.suppress(OSError):
                own = connection.dup()
                self._turned_away.append(_TurnedAway(own, self._map, now + _READING, b""))

    def page(self, problem: Problem) -> ScriptResponse:
        """Return the answer to a request that never reaches the host."""
        page = error_page(problem, details=self._host.details)
        return own_response(problem.status, page, problem.headers)

    def no_disk(self, error: OSError) -> None:
        """Log that a body or an answer could not be stored on disk, at most every 10 seconds."""
        now = time.monotonic()
        if now - self._told_disk >= _TOLD:
            self._told_disk = now
            where = tempfile.tempdir or "the temporary directory"  # none was found to be usable
            self.log_line(
                f"server: {where} cannot hold what waits there: {error.strerror or error}. "
                "Make room, or start the server with TMPDIR=DIR for a larger directory."
            )

    def readable(self) -> bool:
        """Whether connections are accepted: always. Called at least once a second."""
        now = time.monotonic()
        for one in self._turned_away:
            if one.socket is not None and now > one.until:
                self.guard(self._go_on, one.handle_close)
        return bool(super().readable())

    def ends(self) -> None:
        """Nothing: the listening socket stays open."""

    def _go_on(self, incident: str) -> None:
        """Nothing: the error was logged."""

    def maintenance(self, now: float) -> None:
        """Close channels without activity, even if their client only does not read its answer (S18).

        Waitress spares channels with a running request; a client that stops reading would hold a
        script for ever.
        """
        for channel in self.active_channels.values():
            waits = not channel.requests or channel.total_outbufs_len
            if waits and now - channel.last_activity > STALLED:
                channel.will_close = True

    def has_room(self, size: int) -> bool:
        """Whether `size` more bytes of a body can be stored, besides those of all other clients.

        Bodies wait on disk until their scripts have read them, and each may have 1 GiB.
        """
        self._arrived += size
        if self._arrived < self._room.bodies // _WEIGHED:
            return True
        self._arrived = 0
        together = 0
        for channel in self.active_channels.values():
            for request in (channel.request, *channel.requests):
                together += request.body_bytes_received if request is not None else 0
        return together <= self._room.bodies


_WHY = b"All connections of this server are in use. Try again in a moment.\n"
_FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n"
    b"Retry-After: 10\r\nConnection: close\r\n\r\n%b"
) % (len(_WHY), _WHY)


class _TurnedAway(wasyncore.dispatcher):  # type: ignore[misc]
    """A connection after its last answer. Whatever the client still sends is dropped.

    Closing it at once, with its request unread, would reset it, and the client would lose the answer.
    """

    def __init__(
        self, connection: socket.socket, map: dict[int, Any], until: float, answer: bytes
    ) -> None:
        super().__init__(connection, map)
        self.until = until  # when it is closed, by time.monotonic
        try:
            if answer:
                connection.send(answer)
            connection.shutdown(socket.SHUT_WR)
        except OSError:
            self.handle_close()

    def writable(self) -> bool:
        """Whether there is something to send: no."""
        return False

    def handle_read(self) -> None:
        """Drop what the client sends; close the connection at its end."""
        try:
            self.recv(65_536)
        except OSError:
            self.handle_close()

    def handle_close(self) -> None:
        """Close the connection."""
        self.close()


class _OneLine(logging.Handler):
    """Puts waitress's own messages into the same log, one line for each event."""

    def __init__(self, log: Callable[[str], None]) -> None:
        super().__init__(logging.ERROR)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if not isinstance(error, AnswerCut):
            said = error.strerror if isinstance(error, OSError) and error.strerror else error
            told = f": {type(error).__name__}: {said}" if error else ""
            self._log(one_line(f"server: {record.getMessage()}{told}"))


def _adopt_logger(log: Callable[[str], None]) -> None:
    logger = logging.getLogger("waitress")
    logger.addHandler(_OneLine(log))
    logger.propagate = False
