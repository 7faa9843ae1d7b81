"""Internal. A multipart body, cut at its delimiter lines as the removed `cgi` module cut it (RFC 2046
section 5.1.1, read generously).

What `cgikit.multipart` rightly refuses is taken here: line ends that are a bare LF, white space
behind a delimiter, text in front of the first one, a body whose last delimiter lacks its `--` or is
missing. What the parts mean is decided in `reading.py`. One `Reader` goes through all parts of a
request, those inside of other parts too, so that it counts for the limits what the whole request
brings.
"""

from cgikit.compat import limits
from cgikit.compat.urlencoded import cut_off

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Writer = Callable[[bytes], object]

_PIECE = 131_072  # bytes read at once
_LINE = 65_536  # bytes of a line that are read at once if the length is unknown
_AHEAD = 1_024  # bytes of white space that are examined before and after a delimiter

NEXT, LAST, MISSING = 0, 1, -1  # what ended a section: the values of FieldStorage.done


class Reader:
    """The body of a request: the first `length` bytes of `source`; -1 if the length is unknown.

    Without a length it reads line by line and never beyond a delimiter: the rest may be somebody
    else's, or may not come. `readline` and `read` are there for subclasses of `FieldStorage` that
    read parts themselves.
    """

    def __init__(self, source: "Any", length: int) -> None:
        self.source = source
        self.length = length
        self.received = 0
        self.counts = {"fields": 0, "files": 0, "memory": 0, "nesting": 0}
        self._ended = False
        # The byte in front of the position is always there: a delimiter begins behind a line end.
        self._buffer = b"\n"
        self._position = 1

    @property
    def consumed(self) -> int:
        """The number of bytes that were passed on (int)."""
        return self.received - len(self._buffer) + self._position

    @property
    def is_short(self) -> bool:
        """Whether fewer bytes were received than the length says."""
        return self._ended and self.received < self.length

    def count(self, name: str, number: int = 1) -> None:
        """Count for a limit; raises `ValueError` if it is exceeded."""
        self.counts[name] += number
        limits.check(name, self.counts[name])

    def read(self, size: int = -1) -> bytes:
        """Return up to `size` bytes, or all the rest; fewer only at the end."""
        pieces = []
        while size and (self._position < len(self._buffer) or self._pull()):
            piece = self._buffer[self._position :]
            if 0 <= size < len(piece):
                piece = piece[:size]
            self._position += len(piece)
            pieces.append(piece)
            size -= len(piece) if size > 0 else 0
        return b"".join(pieces)

    def readline(self, size: int = -1) -> bytes:
        """Return a line with its end, or its first `size` bytes; b"" at the end."""
        pieces = []
        while size and (self._position < len(self._buffer) or self._pull()):
            end = self._buffer.find(b"\n", self._position) + 1
            piece = self._buffer[self._position : end or len(self._buffer)]
            if 0 <= size < len(piece):
                piece = piece[:size]
            self._position += len(piece)
            pieces.append(piece)
            size -= len(piece) if size > 0 else 0
            if piece.endswith(b"\n"):
                break
        return b"".join(pieces)

    def head(self) -> bytes:
        """Return the lines of a part's header and the blank one that ends it; b"" at the end."""
        most = limits.allowed("part_header")
        lines: list[bytes] = []
        size = 0
        while True:
            line = self.readline(most - size + 1)
            size += len(line)
            limits.check("part_header", size)
            lines.append(line)
            if not line.strip():
                return b"".join(lines)

    def find_first(self, boundary: bytes) -> bool:
        """Skip everything up to and including the first delimiter; return False if there is none."""
        mark = b"--" + boundary
        searched = self._position
        while True:
            at = self._buffer.find(mark, searched)
            if at < 0:
                kept = len(mark) + _AHEAD
                self._position = max(self._position, len(self._buffer) - kept)
                if not self._pull():
                    self._position = len(self._buffer)
                    return False
                searched = self._position
                continue
            before = self._buffer[max(0, at - _AHEAD) : at]
            if not before[before.rfind(b"\n") + 1 :].strip() and b"\n" in before:
                self._position = max(self._position, at)
                kind = self._delimiter(len(mark))
                if kind == NEXT:
                    return True
                searched = self._position + (kind is None)
                continue
            searched = at + 1

    def section(self, boundary: bytes, write: "Writer") -> int:
        """Hand everything up to the next delimiter line to `write`, without the line end in front of
        it, in pieces; skip the delimiter. Return NEXT, LAST, or MISSING at the end of the body.

        Raises `ValueError` for a body that ends early.
        """
        mark = b"\n--" + boundary
        searched = self._position - 1
        while True:
            at = self._buffer.find(mark, searched)
            end = len(self._buffer) - len(mark) - 1 if at < 0 else at
            if at > self._position and self._buffer[at - 1] == 13:
                end -= 1  # the CR of its line end
            self._hand_on(end, write)
            if at < 0:
                if not self._pull():
                    return self._rest(write)
                searched = self._position - 1
                continue
            start = at + len(mark) - self._position
            kind = self._delimiter(start)
            if kind is not None:
                return kind
            searched = self._position + start - len(mark) + 1

    def skip(self, boundary: bytes) -> int:
        """Skip everything up to the next delimiter line, and that; return what `section` does."""
        return self.section(boundary, len)

    def rest(self, write: "Writer") -> None:
        """Hand everything up to the end to `write`. Raises `ValueError` for a body that ends early."""
        while True:
            self._hand_on(len(self._buffer), write)
            if not self._pull():
                break
        if self.is_short:
            raise cut_off(self.length, self.received)

    def _hand_on(self, end: int, write: "Writer") -> None:
        if end > self._position:
            write(self._buffer[self._position : end])
            self._position = end

    def _rest(self, write: "Writer") -> int:
        if self.is_short:
            raise cut_off(self.length, self.received)
        left = self._buffer[self._position :]
        for ending in (b"\r\n", b"\n", b"\r"):
            if left.endswith(ending):
                left = left[: -len(ending)]
                break
        if left:
            write(left)
        self._position = len(self._buffer)
        return MISSING

    def _delimiter(self, start: int) -> "int | None":
        """Look at the line whose delimiter ends `start` bytes behind the position: skip it and return
        which one it is, or return None where something else follows.
        """
        while True:
            begin = self._position + start
            end = self._buffer.find(b"\n", begin, begin + _AHEAD)
            if end >= 0 or len(self._buffer) >= begin + _AHEAD or not self._pull():
                break
        if end < 0:
            if len(self._buffer) >= begin + _AHEAD:
                return None
            end = len(self._buffer)
        rest = self._buffer[begin:end].rstrip()
        if rest not in (b"", b"--"):
            return None
        self._position = min(end + 1, len(self._buffer))
        return LAST if rest else NEXT

    def _pull(self) -> bool:
        """Read more; False at the end. What was handed on is dropped, but for its last byte."""
        if self._ended:
            return False
        if self.length >= 0:
            wanted = min(_PIECE, self.length - self.received)
            data = _checked(self.source, self.source.read(wanted)) if wanted else b""
        else:
            data = self._lines()
        if not data:
            self._ended = True
            return False
        self.received += len(data)
        limits.check("body", self.received)
        self._buffer = self._buffer[self._position - 1 :] + data
        self._position = 1
        return True

    def _lines(self) -> bytes:
        """Return some lines, the last of which may be a delimiter, and none of the others."""
        lines = []
        size = 0
        while size < _PIECE:
            line = _checked(self.source, self.source.readline(_LINE))
            lines.append(line)
            size += len(line)
            if not line or line.lstrip()[:2] == b"--":
                break
        return b"".join(lines)


def _checked(source: object, data: object) -> bytes:
    if not isinstance(data, bytes):
        raise ValueError(f"{source} should return bytes, got {type(data).__name__}")
    return data
