"""HTTP for `cgikit serve`: waitress, its limits, and who is let in.

Everything that depends on how waitress works inside is in this file and in `channel.py`, which has what
happens on one connection. The limits are stated in docs/serve.md.
"""

import contextlib
import logging
import socket
import tempfile
import time
from collections.abc import Callable
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
IN_MEMORY = 1 << 18  # bytes of a body, and of an answer, that wait in memory; more go to disk
CONNECTIONS = 1_000
WAITING = 240  # scripts that wait for slow clients, beside those that run
STALLED = 120  # seconds until a client that neither sends nor takes anything is dropped
JOIN = 5  # seconds for the threads to end after their scripts were ended
DESCRIPTORS = 8_192  # that all of this may need
_OWN = 200  # of them: the listener, logs, modules, pipes while a script is started
_OF_A_CONNECTION = 5  # its socket, a file for its body, up to three for answers
_OF_A_SCRIPT = 4  # three pipes, and what waits for them
_TURNED_AWAY = 64  # connections at once that are kept until their client has read why
_READING = 5.0  # seconds for that
_TOLD = 10.0  # seconds between two lines about it in the log
_WEIGHED = 64  # times that all bodies are looked at while so much arrives: a look takes time


@dataclass(frozen=True)
class Capacity:
    """How many connections there are, how many scripts wait for slow clients, and bytes of bodies."""

    connections: int = CONNECTIONS
    waiting: int = WAITING
    bodies: int = BODIES


def capacity(descriptors: int) -> Capacity:
    """Return what can be served with so many descriptors, such that a script can always start.

    Half of the connections may wait with a script. That is for few descriptors; with 8,192 neither
    number is bound by them.
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
        # Not server.run(): that swallows the interrupt and waits for threads whose scripts go on
        while self._server._map:
            turn(self._server._map, timeout=1)

    def finish(self) -> None:
        """Close every connection and wait for the threads."""
        for channel in list(self._server.active_channels.values()):
            channel.request = None  # that it ends here is not the client's doing
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
) -> Server:
    """Return a server for a host on a listening socket. `log` takes one line an event."""
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
        connection_limit=DESCRIPTORS,  # never reached: those that are too many get an answer
        channel_timeout=STALLED,
        channel_request_lookahead=1,  # reads on while a script runs, and so sees the client leave
        clear_untrusted_proxy_headers=True,  # S20
        log_socket_errors=False,  # a client that leaves is not an event
    )
    return Server(_Listening(host, listener, settings, log, room))


class _Listening(Guarded, TcpWSGIServer):  # type: ignore[misc]  # waitress has no types
    """The listening socket, and all connections that it has led to."""

    channel_class = Channel

    def __init__(
        self,
        host: Host,
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
            host,
            {},
            _sock=listener,
            dispatcher=Threads(THREADS, room.waiting),
            adj=settings,
            sockinfo=(listener.family, listener.type, listener.proto, listener.getsockname()),
            bind_socket=False,
        )

    def handle_accept(self) -> None:
        """Let a client in, or say that there is no room: not to answer would look like a failure."""
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
        """Close a connection once its client has read its answer and stopped sending, or soon."""
        now = time.monotonic()
        self._turned_away = [one for one in self._turned_away if one.socket is not None]
        if len(self._turned_away) < _TURNED_AWAY:
            with contextlib.suppress(OSError):
                own = connection.dup()
                self._turned_away.append(_TurnedAway(own, self._map, now + _READING, b""))

    def page(self, problem: Problem) -> ScriptResponse:
        """Return the answer to what never reaches the host."""
        page = error_page(problem, details=self._host.details)
        return own_response(problem.status, page, problem.headers)

    def no_disk(self, error: OSError) -> None:
        """Say that a body, or an answer, could not be put on disk; not for each of many."""
        now = time.monotonic()
        if now - self._told_disk >= _TOLD:
            self._told_disk = now
            where = tempfile.tempdir or "the temporary directory"  # none was found to be usable
            self.log_line(
                f"server: {where} cannot hold what waits there: {error.strerror or error}. "
                "Make room, or start the server with TMPDIR=DIR for a larger directory."
            )

    def readable(self) -> bool:
        """Whether clients are let in: always. This is called at least once a second."""
        now = time.monotonic()
        for one in self._turned_away:
            if one.socket is not None and now > one.until:
                self.guard(self._go_on, one.handle_close)
        return bool(super().readable())

    def ends(self) -> None:
        """Nothing: who comes next is let in."""

    def _go_on(self, incident: str) -> None:
        """After an error that the log has."""

    def maintenance(self, now: float) -> None:
        """Close channels without activity, also those whose client does not take its answer (S18).

        Waitress spares channels with a running request; a client that stops reading would hold a
        script for ever.
        """
        for channel in self.active_channels.values():
            waits = not channel.requests or channel.total_outbufs_len
            if waits and now - channel.last_activity > STALLED:
                channel.will_close = True

    def has_room(self, size: int) -> bool:
        """Whether so many more bytes of a body can be kept, with those of all other clients.

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
    """A client that has its last answer. What it sends is not read as anything.

    Closing at once, with its request unread, would reset the connection and take the answer away.
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
        """Drop what the client sends; its end closes the connection."""
        try:
            self.recv(65_536)
        except OSError:
            self.handle_close()

    def handle_close(self) -> None:
        """Close the connection."""
        self.close()


class _OneLine(logging.Handler):
    """What waitress itself has to say, one line an event, in the same place as everything else."""

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
