"""Connections that a web server keeps open, handed over by a process that ends to its successor.

A web server may send the next request as soon as an answer is complete. If the process closes the
connection at that moment, the request is lost: Apache httpd answers 503, nginx answers 502 to a POST.
So a process that is being replaced does not close idle connections; it sends them to another process.

The codec knows which connections are idle (`FastCGI.is_idle`). Which process replaces which is decided
in `persistent` and in `warm`.
"""

import os
import socket

_PER_MESSAGE = 200  # descriptors; Linux allows 253


class Handover:
    """Both ends of the channel (UNIX stream sockets), shared by all processes that take part."""

    def __init__(self, inbox: socket.socket, outbox: socket.socket) -> None:
        self.inbox = inbox
        self.outbox = outbox
        # Not by MSG_DONTWAIT: Python 3.11 ignores the flags of `send_fds`
        for end in (inbox, outbox):
            end.setblocking(False)

    @classmethod
    def pair(cls) -> "Handover":
        """Return a new channel, for the process that starts the others."""
        return cls(*socket.socketpair())

    def send(self, connections: "list[socket.socket]") -> int:
        """Send connections to whichever process receives them first.

        Returns how many were sent, counted from the first. The caller still has to close those.
        """
        for at in range(0, len(connections), _PER_MESSAGE):
            numbers = [connection.fileno() for connection in connections[at : at + _PER_MESSAGE]]
            try:
                socket.send_fds(self.outbox, [b"\0"], numbers)
            except OSError:  # too many are in flight (RLIMIT_NOFILE), or the buffer is full
                return at
        return len(connections)

    def receive(self) -> "list[socket.socket]":
        """Return the connections of the oldest message; [] if there is none. Never blocks."""
        try:
            _, numbers, _, _ = socket.recv_fds(self.inbox, 1, _PER_MESSAGE)
        except BlockingIOError:
            return []
        for number in numbers:
            os.set_inheritable(number, False)
        return [socket.socket(fileno=number) for number in numbers]

    def close(self) -> None:
        """Close both ends in this process. When the last process has, unreceived connections end."""
        self.inbox.close()
        self.outbox.close()
