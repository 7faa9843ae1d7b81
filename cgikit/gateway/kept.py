"""Connections that a web server keeps open, on their way from a process that ends to one that goes on.

A web server may send the next request the moment that an answer is complete. If the process closes the
connection just then, the request is lost: Apache httpd answers 503, nginx 502 for a POST. So a process
that is replaced closes none that is between two requests.

What is between two requests is known to the codec (`FastCGI.is_idle`); who replaces whom is decided in
`persistent` and in `host`.
"""

import os
import socket

_AT_ONCE = 200  # descriptors in a message; Linux takes 253


class Kept:
    """Both ends of the way (UNIX stream sockets), shared by all processes that take part."""

    def __init__(self, inbox: socket.socket, outbox: socket.socket) -> None:
        self.inbox = inbox
        self.outbox = outbox
        for end in (inbox, outbox):  # by a flag of the call it cannot be: Python 3.11 drops it
            end.setblocking(False)

    @classmethod
    def pair(cls) -> "Kept":
        """Return a new one, for a process that starts the others."""
        return cls(*socket.socketpair())

    def leave(self, connections: "list[socket.socket]") -> int:
        """Leave connections to whoever takes them. Return how many could be, from the first; those
        are still to be closed here.
        """
        for at in range(0, len(connections), _AT_ONCE):
            numbers = [connection.fileno() for connection in connections[at : at + _AT_ONCE]]
            try:
                socket.send_fds(self.outbox, [b"\0"], numbers)
            except OSError:  # more than may be on their way at once (RLIMIT_NOFILE)
                return at
        return len(connections)

    def take(self) -> "list[socket.socket]":
        """Return the connections of the oldest message; [] where nothing waits."""
        try:
            _, numbers, _, _ = socket.recv_fds(self.inbox, 1, _AT_ONCE)
        except BlockingIOError:
            return []
        for number in numbers:
            os.set_inheritable(number, False)
        return [socket.socket(fileno=number) for number in numbers]

    def close(self) -> None:
        """Close both ends here; with the last of them ends what was left and not taken."""
        self.inbox.close()
        self.outbox.close()
