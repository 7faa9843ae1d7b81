"""A log file of the script's own, for hosts that give no access to their error log: `run(…, log=…)`.

Whole lines are appended, each with the time (UTC, RFC 3339) and the process, by one write, so that the
lines of several processes never mix. `lines.py` is for data: it waits for locks and fails loudly, and a
log must do neither. What cannot be written goes to standard error.
"""

import os
import sys

from .characters import printable
from .process import absolute, write_log
from .regularfile import close_quietly, open_regular, write_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import TextIO

#: Bytes after which the file is renamed and replaces the previous one: the log of a site that fails at
#: every request must not fill the disk.
MAX_SIZE = 4 << 20
_MAX_LINE = 8_192  # characters of a line
_MOST_LINES = 1_000  # of an error: what a visitor has sent may stand in it
_MOST_CHARACTERS = 262_144  # of an error


class LineStream:
    """A stream of text in the place of `sys.stderr`, whose lines are passed to `put` when they are
    whole: the lines of several processes or requests must not mix.
    """

    def __init__(self, put: "Callable[[str], object]") -> None:
        self._put = put
        self._line = ""

    def write(self, text: str) -> int:
        """Pass on the lines in a text; the last one waits for its end, or for `flush`."""
        whole, newline, self._line = (self._line + text).rpartition("\n")
        if newline:
            self._put(whole + newline)
        return len(text)

    def writelines(self, lines: "Iterable[str]") -> None:
        """Write several texts."""
        self.write("".join(lines))

    def flush(self) -> None:
        """Pass on a line that has no end yet."""
        line, self._line = self._line, ""
        if line:
            self._put(line)


class LogFile(LineStream):
    """A stream of text that appends what is written to `path`; made with mode 0600 if it is missing.

    As a context manager it takes the place of `sys.stderr`. `own` is where lines go that cannot be
    written (default: the standard error of before).
    """

    encoding = "utf-8"
    errors = "backslashreplace"

    def __init__(
        self,
        path: "str | os.PathLike[str]",
        own: "TextIO | None" = None,
        limit: int = MAX_SIZE,
    ) -> None:
        self.path = absolute(path)
        self.own = sys.stderr if own is None else own
        self._limit = limit
        super().__init__(self._append)
        self._failed = False

    def __repr__(self) -> str:
        return f"<LogFile {self.path!r}>"

    def __enter__(self) -> None:
        sys.stderr = self

    def __exit__(self, *_: object) -> None:
        self.flush()
        if sys.stderr is self:
            sys.stderr = self.own

    def __getattr__(self, name: str) -> object:
        return getattr(self.own, name)

    def write(self, text: str) -> int:
        """Append the lines in a text; the last one waits for its end, or for `flush`. Never raises."""
        super().write(text)
        if "\n" not in text and len(self._line) > _MAX_LINE:
            self.flush()
        return len(text)

    def isatty(self) -> bool:
        """Return False: it is a file."""
        return False

    def _append(self, text: str) -> None:
        from time import gmtime, strftime

        stamp = f"{strftime('%Y-%m-%dT%H:%M:%SZ', gmtime())} [{os.getpid()}] "
        lines = [f"{stamp}{line}\n" for line in bounded(text.removesuffix("\n").split("\n"), 2)]
        data = "".join(lines).encode("utf-8", "backslashreplace")
        try:
            self._write(data)
        except (OSError, ValueError) as error:  # ValueError: NUL in the path
            if not self._failed:
                self._failed = True
                write_log(
                    f"cgikit: the log {self.path!r} cannot be written: {_why(self.path, error)}\n",
                    self.own,
                )
            write_log(data.decode("utf-8"), self.own)

    def _write(self, data: bytes) -> None:
        fd = self._open()
        try:
            size = os.fstat(fd).st_size
            # An empty log is not put aside: it would replace the one that has the lines.
            if size and size + len(data) > self._limit and _put_aside(self.path, fd):
                close_quietly(fd)
                fd = -1
                fd = self._open()
            write_all(fd, data)
        finally:
            if fd >= 0:
                close_quietly(fd)

    def _open(self) -> int:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        return open_regular(self.path, flags, 0o600, patience=0)


def bounded(lines: list[str], times: int = 1) -> list[str]:
    """Return the lines of an entry as a log may have them (list of str): without control characters,
    and of an entry that is too long the first and the last lines, and how many were left out. `times`
    multiplies what counts as too long.
    """
    first = _beginning(lines, times)
    last = _beginning(lines[len(first) :][::-1], times)[::-1]
    left = len(lines) - len(first) - len(last)
    return [*first, f"... {left} more lines", *last] if left else first + last


def _beginning(lines: list[str], times: int) -> list[str]:
    """Return as many lines as half an entry may have."""
    taken: list[str] = []
    room = times * _MOST_CHARACTERS // 2
    for line in lines[: times * _MOST_LINES // 2]:
        shown = printable(line[:_MAX_LINE])[:_MAX_LINE]
        room -= len(shown)
        if room < 0:
            break
        taken.append(shown)
    return taken


def _put_aside(path: str, fd: int) -> bool:
    """Rename a full log once; processes that have it open keep writing to it. Return whether there is a
    new one to open.
    """
    import fcntl

    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False  # another process is doing it, or nobody can lock here: this line still fits
    try:
        # Another process may have put it aside since it was opened.
        if os.path.samestat(os.fstat(fd), os.stat(path)):
            os.replace(path, path + ".cgikit-old")
    except FileNotFoundError:
        pass
    return True


def _why(path: str, error: Exception) -> str:
    """Return why a log cannot be written, and what to do."""
    from .obstacle import obstacle

    number = getattr(error, "errno", None)
    reason = getattr(error, "strerror", None) or str(error)
    if isinstance(error, PermissionError) and number:
        try:
            return f"{reason}; {obstacle(path, number)}"
        except OSError:
            return reason
    if isinstance(error, FileNotFoundError):
        return f"{reason}; make the directory {os.path.dirname(path)}"
    return reason
