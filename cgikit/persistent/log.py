"""Internal. Standard error while requests are answered: the web server's log, or the process's own."""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from .connection import Connection


class Log:
    """Stands in for `sys.stderr`. Lines go to the web server (FCGI_STDERR) while `.connection` has a
    request open; to the process's own standard error otherwise, and where they cannot be sent.
    """

    def __init__(self) -> None:
        self.own = sys.stderr
        self.connection: Connection | None = None
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
        if connection is not None and connection.codec.request and not connection.closed:
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
