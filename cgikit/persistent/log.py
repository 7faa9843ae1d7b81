"""Internal. Standard error of a persistent script: its own log, or that of the web server.

When the process starts, it is decided which of the two gets everything that belongs to a request.
"""

import os
import sys

from ..logfile import LineStream
from ..process import write_log

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from ..gateway.fastcgi import FastCGI
    from ..gateway.scgi import SCGI

    class Peer(Protocol):
        """The connection that a request came on."""

        @property
        def codec(self) -> FastCGI | SCGI:
            """The codec, which makes the records for errors."""

        @property
        def number(self) -> int:
            """The number of the request."""

        @property
        def closed(self) -> bool:
            """Whether it is closed."""

        def send(self, data: bytes, /) -> None:
            """Send bytes to the web server."""


def goes_out() -> bool:
    """Return whether the web server gets the log of requests: with CGIKIT_STDERR=server, or without it
    if standard error of this process leads nowhere, as under spawn-fcgi.

    `SystemExit`, with a message, if the value is neither `log` nor `server`.
    """
    wish = os.environ.get("CGIKIT_STDERR", "")
    if wish not in ("", "log", "server"):
        raise SystemExit(f"CGIKIT_STDERR={wish[:50]} is not valid; give log or server")
    if wish:
        return wish == "server"
    own = sys.__stderr__
    if own is None or sys.stderr is not own:
        return sys.stderr is None
    try:
        return os.path.samestat(os.fstat(own.fileno()), os.stat(os.devnull))
    except (OSError, ValueError):  # closed
        return True


class Log(LineStream):
    """Replaces `sys.stderr`. Lines go to standard error of the process. If `out`, they go to the web
    server (FCGI_STDERR) as long as a request is open on `.connection` and the server accepts them.
    """

    def __init__(self, out: bool) -> None:
        self.own = sys.stderr
        self._goes_out = out
        self.connection: Peer | None = None
        super().__init__(self._out)

    def disown(self) -> None:
        """Leave the log of the web server, and an incomplete line, to another process."""
        self.connection = None
        self._line = ""

    def _out(self, text: str) -> None:
        connection = self.connection
        if (
            self._goes_out
            and connection is not None
            and connection.codec.request
            and not connection.closed
        ):
            data = text.encode("utf-8", "backslashreplace")
            connection.send(connection.codec.errors(connection.number, data))
            if not connection.closed:
                return
        if self.own is not None:
            write_log(text, self.own)

    def __getattr__(self, name: str) -> object:
        return getattr(self.own, name)
