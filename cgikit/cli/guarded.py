"""Connections of `cgikit serve` whose errors end themselves only, whatever waitress does with them.

Waitress closes whatever raises in a handler, the listening socket too, after which nobody is let in any
more; and what raises when its loop asks whether it has something to read or to send ends the loop. Only
this is mended here; connections are in `channel.py`, the server is in `server.py`.
"""

import contextlib
import sys
from typing import Any

from waitress import wasyncore


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
