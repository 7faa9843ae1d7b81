"""Internal. A multipart body, cut at its delimiter lines as the removed `cgi` module cut it (RFC 2046
section 5.1.1, read generously).

What `cgikit.multipart` rightly refuses is taken here: line ends that are a bare LF, white space
behind a delimiter, text in front of the first one, a body whose last delimiter lacks its `--` or is
missing. What the parts mean is decided in `reading.py`. One `Reader` goes through all parts of a
request, those inside of other parts too, so that it counts for the limits what the whole request
brings, and knows the boundaries around a part: where one lacks its last delimiter, the delimiter of
the parts around it ends it too (RFC 2046 section 5.1.2).
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
        self._around: tuple[bytes, ...] = ()  # boundaries, the innermost first
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

    def enter(self, boundary: bytes) -> None:
        """Go into a part that has parts itself, and that `boundary` ends: it ends them, too."""
        self._around = (boundary, *self._around)

    def leave(self) -> None:
        """Come out of it."""
        self._around = self._around[1:]

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
        """Return the lines of a part's header and the blank one that ends it; b"" at the end, or where
        the parts around this one go on.
        """
        most = limits.allowed("part_header")
        lines: list[bytes] = []
        size = 0
        while True:
            if self._goes_on_around():
                return b"".join(lines)
            line = self.readline(most - size + 1)
            size += len(line)
            limits.check("part_header", size)
            lines.append(line)
            if not line.strip():
                return b"".join(lines)

    def find_first(self, boundary: bytes) -> bool:
        """Skip everything up to and including the first delimiter; return False if there is none."""
        marks = [b"--" + one for one in (boundary, *self._around)]
        searched = self._position
        while True:
            at = self._find(marks, b"--", searched)
            if at < 0:
                kept = max(map(len, marks)) + _AHEAD
                self._position = max(self._position, len(self._buffer) - kept)
                if not self._pull():
                    self._position = len(self._buffer)
                    return False
                searched = self._position
                continue
            before = self._buffer[max(0, at - _AHEAD) : at]
            self._position = max(self._position, at)
            kind = None
            is_blank = b"\n" in before and not before[before.rfind(b"\n") + 1 :].strip()
            if is_blank and self._begins(marks[0]):
                kind = self._delimiter(len(marks[0]))
                if kind == NEXT:
                    return True
            if kind is None and before.endswith(b"\n") and self._goes_on_around():
                return False
            searched = self._position
            if kind is None:
                # The rest of this line has something in front of it and cannot be a delimiter either.
                line = self._buffer.find(b"\n", searched)
                searched = len(self._buffer) if line < 0 else line

    def section(self, boundary: bytes, write: "Writer") -> int:
        """Hand everything up to the next delimiter line to `write`, without the line end in front of
        it, in pieces; skip the delimiter. Return NEXT, LAST, or MISSING at the end of the body and in
        front of a delimiter of the parts around this one.

        Raises `ValueError` for a body that ends early.
        """
        marks = [b"\n--" + one for one in (boundary, *self._around)]
        most = max(map(len, marks))
        searched = self._position - 1
        while True:
            at = self._find(marks, b"\n--", searched)
            end = len(self._buffer) - most - 1 if at < 0 else at
            if at > self._position and self._buffer[at - 1] == 13:
                end -= 1  # the CR of its line end
            self._hand_on(end, write)
            if at < 0:
                if not self._pull():
                    return self._rest(write)
                searched = self._position - 1
                continue
            start = at + 1 - self._position
            if self._begins(marks[0][1:], start):
                kind = self._delimiter(start + len(marks[0]) - 1)
                if kind is not None:
                    return kind
            if self._goes_on_around(start):
                self._position += start
                return MISSING
            searched = self._position + start

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

    def _find(self, marks: list[bytes], common: bytes, start: int) -> int:
        """Return where the first of the marks is, which begin with `common`; -1 if there is none."""
        if len(marks) == 1:
            return self._buffer.find(marks[0], start)
        # Not each one by itself: where many of one kind come, the others would be looked for again and
        # again in all that follows.
        several = tuple(marks)
        at = self._buffer.find(common, start)
        while at >= 0 and not self._buffer.startswith(several, at):
            at = self._buffer.find(common, at + 1)
        return at

    def _goes_on_around(self, start: int = 0) -> bool:
        """Whether the line that begins `start` bytes behind the position is a delimiter of the parts
        around these.
        """
        for boundary in self._around:
            mark = b"--" + boundary
            is_there = self._begins(mark, start)
            if is_there and self._delimiter(start + len(mark), skip=False) is not None:
                return True
        return False

    def _begins(self, mark: bytes, start: int = 0) -> bool:
        """Whether a mark stands `start` bytes behind the position."""
        while True:
            begin = self._position + start
            there = self._buffer[begin : begin + len(mark)]
            if there == mark or not mark.startswith(there) or not self._pull():
                return there == mark

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

    def _delimiter(self, start: int, skip: bool = True) -> "int | None":
        """Look at the line whose delimiter ends `start` bytes behind the position: skip it and return
        which one it is, or return None where something else follows. Without `skip` it stays.
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
        if skip:
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
