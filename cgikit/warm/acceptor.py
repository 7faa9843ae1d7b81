"""Where a worker's connections come from, and go to: the listening socket, and the other workers.

All workers accept from one socket. When a worker is replaced, the connections that a web server keeps
open are handed over to the others. `connections.py` decides how many there may be.
"""

import socket

from cgikit.gateway.listener import allowed_peers, is_allowed

from .loop import IN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from cgikit.gateway.handover import Handover

    from ..host.guard import OnError
    from .loop import Loop


class Acceptor:
    """Calls `take(sock)` for each connection while it is open.

    `peers` are the web servers that may connect (FCGI_WEB_SERVER_ADDRS), `handover` leads to the other
    workers. An error on that way calls `give_up`: several workers share it.
    """

    def __init__(
        self,
        loop: "Loop",
        listener: socket.socket,
        handover: "Handover",
        peers: str,
        take: "Callable[[socket.socket], None]",
        give_up: "OnError",
    ) -> None:
        listener.setblocking(False)
        self._loop = loop
        self._listener = listener
        self._handover = handover
        self._peers = allowed_peers(peers)
        self._take = take
        self._give_up = give_up
        self.is_open = False
        self._has_ended = False
        self._is_replaced = False

    def open(self) -> None:
        """Accept connections, unless it has ended."""
        if not self.is_open and not self._has_ended:
            loop, inbox = self._loop, self._handover.inbox.fileno()
            loop.watch(self._listener.fileno(), IN, self._on_listener, self.crashed)
            loop.watch(inbox, IN, self._on_handover, self._give_up)
            self.is_open = True

    def shut(self) -> None:
        """Accept nothing until it is opened: connections wait in the queue of the socket."""
        if self.is_open:
            self._loop.unwatch(self._listener.fileno())
            self._loop.unwatch(self._handover.inbox.fileno())
            self.is_open = False

    def end(self, replaced: bool) -> None:
        """Accept the connections that have come, and none after that. `replaced` tells whether
        `hand_over` may give connections away: somebody takes this worker's place.
        """
        self._is_replaced = replaced
        if not self._has_ended:
            while self.is_open and self._accept():
                pass
            self.shut()
            self._has_ended = True
            self._listener.close()

    def crashed(self, incident: str) -> None:
        """Accept nothing until the next look at the clock: the error would come back immediately."""
        self.shut()

    def hand_over(self, sock: socket.socket) -> bool:
        """Hand a connection over to another worker. False if that is not possible: we keep it."""
        return self._is_replaced and bool(self._handover.send([sock]))

    def _on_handover(self, mask: int) -> None:
        for sock in self._handover.receive():  # none, if another worker was faster
            self._begin(sock)

    def _on_listener(self, mask: int) -> None:
        self._accept()

    def _accept(self) -> bool:
        """Take a connection. False if none waits, or descriptors are short: it stays in the queue."""
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
