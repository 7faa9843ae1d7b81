"""Internal. Connections that web servers keep open: from a worker that has done its part to the next.

A web server may send the next request the moment that an answer is complete. If the worker closes the
connection just then, Apache httpd answers 503. So a worker that has answered its share closes none.
"""

import os
import socket

_AT_ONCE = 200  # descriptors in a message; Linux takes 253


class Kept:
    """One for all workers, made by their parent before it forks the first."""

    def __init__(self) -> None:
        self._inbox, self._outbox = socket.socketpair()
        self._inbox.setblocking(False)  # by a flag of the call it cannot be: Python 3.11 drops it
        self._outbox.setblocking(False)
        self._sockets: list[socket.socket] = []

    def leave(self, connections: "list[socket.socket]") -> int:
        """In a worker: leave connections on which nothing is open. Return how many could be, from the
        first; it is still to close them.
        """
        for at in range(0, len(connections), _AT_ONCE):
            numbers = [connection.fileno() for connection in connections[at : at + _AT_ONCE]]
            try:
                socket.send_fds(self._outbox, [b"\0"], numbers)
            except OSError:  # more than may be on their way at once (RLIMIT_NOFILE)
                return at
        return len(connections)

    def collect(self) -> None:
        """In the parent: take what workers that have ended left, for the next one."""
        try:
            while True:
                _, numbers, _, _ = socket.recv_fds(self._inbox, 1, _AT_ONCE)
                for number in numbers:
                    os.set_inheritable(number, False)
                    self._sockets.append(socket.socket(fileno=number))
        except BlockingIOError:
            pass  # that was all

    def close(self) -> None:
        """In the parent: close its own ends of what a worker has been forked with, or nobody takes."""
        for connection in self._sockets:
            connection.close()
        self._sockets.clear()

    def take(self) -> "list[socket.socket]":
        """In a worker: return what it was forked with."""
        taken, self._sockets = self._sockets, []
        return taken
