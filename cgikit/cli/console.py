"""The console of `cgikit serve`: standard output, to which many threads write lines."""

import contextlib
import re
import sys
import threading
from collections.abc import Iterable

from cgikit.regularfile import write_all

from .terminal import has_colours, paint

#: A line about a request. Lines of scripts begin with the script's path, a slash.
_REQUEST = re.compile(r"([A-Z]+ \S+ )([2-5][0-9]{2}) ")
_STYLES = {"2": "ok", "3": "dim", "4": "advice", "5": "error"}


class Console:
    """Standard output, one line at a time, for many threads. It begins with the lines `first`."""

    def __init__(self, first: Iterable[str]) -> None:
        self._lock = threading.Lock()
        self._descriptor = sys.stdout.fileno()
        self._encoding = sys.stdout.encoding
        self._has_colours = has_colours(sys.stdout)
        for line in first:
            self.print(line)

    def print(self, line: str) -> None:
        """Write one line at once. Characters that the console cannot encode become escapes."""
        # Not through sys.stdout: a thread that waits for a console that is not read would hold its
        # lock, and the interpreter, which flushes it at exit, would abort because of that
        text = coloured(line) if self._has_colours else line
        data = f"{text}\n".encode(self._encoding, "backslashreplace")
        # If the console is gone, serving goes on
        with self._lock, contextlib.suppress(OSError):
            write_all(self._descriptor, data)


def coloured(line: str) -> str:
    """Return a line with the colour of its status, if it is about a request; a warning in its own."""
    if line.startswith("Warning: "):
        return paint(line, "advice", sys.stdout)
    found = _REQUEST.match(line)
    if found is None:
        return line
    status = paint(found[2], _STYLES[found[2][0]], sys.stdout)
    return f"{found[1]}{status}{line[found.end(2) :]}"
