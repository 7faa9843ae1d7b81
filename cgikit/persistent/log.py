"""Internal. Standard error of a persistent script: the log of its process, or the web server's.

It is one of them for all that belongs to a request, which is decided once, when the process starts.
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from .connection import PersistentConnection


def goes_out() -> bool:
    """Whether the web server is to have the log of requests: where CGIKIT_STDERR says so (`server`), or
    says nothing and this process's own standard error goes nowhere, as under spawn-fcgi.

    `SystemExit`, with a message, for another value than `log` and `server`.
    """
    wish = os.environ.get("CGIKIT_STDERR", "")
    if wish not in ("", "log", "server"):
        raise SystemExit(f"CGIKIT_STDERR={wish[:50]}: give log or server")
    if wish:
        return wish == "server"
    own = sys.__stderr__
    if own is None or sys.stderr is not own:
        return sys.stderr is None
    try:
        return os.path.samestat(os.fstat(own.fileno()), os.stat(os.devnull))
    except (OSError, ValueError):  # closed
        return True


class Log:
    """Stands in for `sys.stderr`. Lines go to the process's own standard error or, if they are to go
    `out`, to the web server (FCGI_STDERR) while `.connection` has a request open and takes them.
    """

    def __init__(self, out: bool) -> None:
        self.own = sys.stderr
        self._goes_out = out
        self.connection: PersistentConnection | None = None
        self._line = ""

    def write(self, text: str) -> int:
        """Write text; what is no whole line waits for the rest of it, or for `flush`."""
        whole, newline, self._line = (self._line + text).rpartition("\n")
        if newline:
            self._out(whole + newline)
        return len(text)

    def writelines(self, lines: "Iterable[str]") -> None:
        """Write text."""
        self.write("".join(lines))

    def flush(self) -> None:
        """Send what is no whole line, too."""
        line, self._line = self._line, ""
        if line:
            self._out(line)

    def disown(self) -> None:
        """Leave the web server's log, and the line that was begun, to another process."""
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
        try:
            if self.own is not None:
                self.own.write(text)
                self.own.flush()
        except (OSError, ValueError):
            pass  # it is closed: no reason to fail a request

    def __getattr__(self, name: str) -> object:
        return getattr(self.own, name)
