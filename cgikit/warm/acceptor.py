"""Where a worker's connections come from, and go to: the listening socket, and the other workers.

All workers accept from one socket. Those that a web server keeps open are left to the others when a
worker is replaced. RequestStarted and shut by `connections.py`, which knows how many there may be.
"""

import socket

from cgikit.gateway.fastcgi import FastCGI
from cgikit.gateway.listener import allowed_peers, is_allowed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from cgikit.gateway.handover import Handover

    from .connection import Connection
    from .worker import Worker

_IN = 1  # as in `select`


class Acceptor:
    """Calls `take(sock)` for each connection while it is open. `peers` are the web servers that may
    connect (FCGI_WEB_SERVER_ADDRS), `handover` leads to the other workers.
    """

    def __init__(
        self,
        worker: "Worker",
        listener: socket.socket,
        handover: "Handover",
        peers: str,
        take: "Callable[[socket.socket], None]",
    ) -> None:
        listener.setblocking(False)
        self._worker = worker
        self._listener = listener
        self._handover = handover
        self._peers = allowed_peers(peers)
        self._take = take
        self.is_open = False
        self._has_ended = False
        self._leaving = False

    def open(self) -> None:
        """Let connections in, unless it has ended."""
        if not self.is_open and not self._has_ended:
            worker, inbox = self._worker, self._handover.inbox.fileno()
            worker.watch(self._listener.fileno(), _IN, self._on_listener, self.crashed)
            worker.watch(inbox, _IN, self._on_kept, worker.give_up)
            self.is_open = True

    def shut(self) -> None:
        """Let nobody in until it is opened: they wait in the queue of the socket."""
        if self.is_open:
            self._worker.unwatch(self._listener.fileno())
            self._worker.unwatch(self._handover.inbox.fileno())
            self.is_open = False

    def end(self, leaving: bool) -> None:
        """Let those in who have come, and nobody after that. `leaving` tells whether `leave` may give
        connections away: somebody takes this worker's place.
        """
        self._leaving = leaving
        if not self._has_ended:
            while self.is_open and self._accept():
                pass
            self.shut()
            self._has_ended = True
            self._listener.close()

    def crashed(self, incident: str) -> None:
        """Let nobody in until the next look at the clock: the error would come back at once."""
        self.shut()

    def leave(self, connection: "Connection") -> bool:
        """Leave a connection to another worker, if that can be: it is between two requests."""
        codec = connection.codec
        if not (self._leaving and isinstance(codec, FastCGI) and codec.keep and codec.is_idle):
            return False
        if connection.waiting or connection.closing:
            return False
        return bool(self._handover.send([connection.sock]))

    def _on_kept(self, mask: int) -> None:
        for sock in self._handover.receive():  # none, if another worker was faster
            self._begin(sock)

    def _on_listener(self, mask: int) -> None:
        self._accept()

    def _accept(self) -> bool:
        """Take a connection. False when none waits, or descriptors are short: it stays in the queue."""
        try:
            sock, _ = self._listener.accept()
        except BlockingIOError:  # another worker was faster
            return False
        except OSError:
            self.shut()  # until the next look at the clock, or it would be asked for ever
            return False
        if is_allowed(sock, self._peers):
            self._begin(sock)
        else:
            sock.close()
        return True

    def _begin(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self._take(sock)
