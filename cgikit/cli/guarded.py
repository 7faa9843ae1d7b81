"""Connections of `cgikit serve` whose errors end themselves only, whatever waitress does with them.

Waitress closes whatever raises in a handler, the listening socket too, after which nobody is let in any
more; and what raises when its loop asks whether it has something to read or to send ends the loop. Only
this is mended here; connections are in `channel.py`, the server is in `httpserver.py`.
"""

import contextlib
import select
import sys
from typing import Any

from waitress import wasyncore

_READ, _WRITE = select.POLLIN | select.POLLPRI, select.POLLOUT


def turn(dispatchers: dict[int, Any], timeout: float) -> None:
    """Ask all dispatchers, by descriptor, what they wait for, and tell them what came within `timeout`
    seconds.

    In place of waitress's own turn, which looks the descriptor up again: if a connection is closed
    while all are asked, its number goes to the next client, whose connection was then closed instead.
    """
    asked: dict[int, Any] = {}
    poll = select.poll()
    for fd, one in list(dispatchers.items()):
        if not _is_there(dispatchers, fd, one):
            continue  # it was closed while another one was asked
        wanted = _READ if one.readable() else 0
        if one.writable() and not one.accepting:
            wanted |= _WRITE
        if wanted:
            poll.register(fd, wanted)
            asked[fd] = one
    for fd, one in asked.items():
        if not _is_there(dispatchers, fd, one):
            poll.unregister(fd)
    for fd, came in poll.poll(int(timeout * 1000)):
        if _is_there(dispatchers, fd, asked[fd]):
            wasyncore.readwrite(asked[fd], came)


def _is_there(dispatchers: dict[int, Any], fd: int, one: object) -> bool:
    """Whether a descriptor still belongs to one of them."""
    return dispatchers.get(fd) is one


class Guarded:
    """Mixed in before a class of waitress's. Its `server`, or it itself, has the `guard`."""

    def readable(self) -> bool:
        """Whether there may be something to read; False after an error, which ends it."""
        return self._asked("readable")

    def writable(self) -> bool:
        """Whether there is something to send; False after an error, which ends it."""
        return self._asked("writable")

    def _asked(self, what: str) -> bool:
        try:
            return bool(getattr(super(), what)())
        except Exception:
            self.handle_error()
            return False

    def handle_error(self) -> None:
        """Log the error that was raised a moment ago, and end what it is about. Never raises."""
        error = sys.exc_info()[1]
        if isinstance(error, Exception):
            guard: Any = getattr(self, "server", self)
            guard.guard.report(error)
        self.ends()

    def ends(self) -> None:
        """End this connection, in one way or the other."""
        this: Any = self
        try:
            this.handle_close()
        except Exception:
            with contextlib.suppress(Exception):
                wasyncore.dispatcher.close(this)
