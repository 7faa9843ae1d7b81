"""Makes an error in one connection of `cgikit serve` end only that connection.

Waitress closes every object whose handler raises, even the listening socket, after which nobody can
connect; and an error in `readable` or `writable` ends its loop. This module mends only that;
connections are in `channel.py`, the server is in `httpserver.py`.
"""

import contextlib
import select
import sys
from typing import Any

from waitress import wasyncore

_READ, _WRITE = select.POLLIN | select.POLLPRI, select.POLLOUT


def turn(dispatchers: dict[int, Any], timeout: float) -> None:
    """Ask all dispatchers, by descriptor, what they wait for, and call those that have an event within
    `timeout` seconds.

    Replaces waitress's own function, which looks up the descriptor again: if a connection is closed
    meanwhile, its number goes to the next client, whose connection would then be closed instead.
    """
    asked: dict[int, Any] = {}
    poll = select.poll()
    for fd, one in list(dispatchers.items()):
        if not _is_there(dispatchers, fd, one):
            continue  # it was closed meanwhile
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
    """Whether a descriptor still belongs to this dispatcher."""
    return dispatchers.get(fd) is one


class Guarded:
    """A mix-in for a class of waitress. Its `server`, or the object itself, has the `guard`."""

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
        """Log the current error, and end the object that it is about. Never raises."""
        error = sys.exc_info()[1]
        if isinstance(error, Exception):
            guard: Any = getattr(self, "server", self)
            guard.guard.report(error)
        self.ends()

    def ends(self) -> None:
        """End this connection, even if closing it properly fails."""
        this: Any = self
        try:
            this.handle_close()
        except Exception:
            with contextlib.suppress(Exception):
                wasyncore.dispatcher.close(this)
