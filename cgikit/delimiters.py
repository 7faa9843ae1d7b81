"""The lines between the parts of a multipart body (RFC 2046 section 5.1.1): found, and written anew.

Stands in front of the `multipart` package, which does not know all of their forms: it is given the same
body with every delimiter in its plainest form, and with the same header in every part. What counts as a
delimiter, and what may stand in front of the first and behind the last, is decided here. What a part's
own header says is read in `partheader.py`. Pure: bytes in, bytes out. Internal.
"""

from .errors import BadRequest, LimitExceeded
from .limits import Limits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_HEADER = b'\r\nContent-Disposition: form-data; name=""\r\n\r\n'


def plain(
    chunks: "Iterable[bytes]", boundary: bytes, limits: Limits, line: "Callable[[bytes], object]"
) -> "Iterator[bytes]":
    """Yield the body that `chunks` make, cut elsewhere, in the one form that the package reads: nothing
    around the parts, every delimiter without what may be in its line, and the same header in each part.

    `line` is called with each line of a part's own header before that is yielded. A part without a
    body may end with the lines of its header (the delimiter's own CRLF is then the blank line): it is
    given an empty one. A body that ends early is passed on as far as it goes.

    Raises `BadRequest` for any other byte in the line of a delimiter, for a delimiter in the middle of
    a line at the beginning, and for one after the last: a part would be lost there, unseen. A line of
    a header longer than `limits.part_header` raises `LimitExceeded`.
    """
    body = _Body(chunks, boundary, limits.part_header)
    body.skip_preamble()
    while body.left():
        mark = body.end_of_delimiter()
        if mark:
            yield body.delimiter + mark
            body.check_epilogue()
            return
        if mark is None or not body.header(line):
            yield body.delimiter  # cut off: the package says that the end is missing
            return
        yield body.delimiter + _HEADER
        yield from body.content()


class _Body:
    """What was read of a body and not yet passed on: `buffer` from `at`."""

    def __init__(self, chunks: "Iterable[bytes]", boundary: bytes, longest: int) -> None:
        self.delimiter = b"\r\n--" + boundary
        self.buffer = b"\r\n"  # the first line begins after one, too
        self.at = 0
        self._chunks = iter(chunks)
        self._longest = longest

    def left(self) -> bool:
        return self.at < len(self.buffer)

    def more(self) -> bool:
        for chunk in self._chunks:
            if chunk:
                self.buffer = self.buffer[self.at :] + chunk
                self.at = 0
                return True
        return False

    def skip_preamble(self) -> None:
        """Go to the first delimiter; what stands in front of it says nothing."""
        line = self.delimiter[2:]
        while (found := self.buffer.find(line, self.at)) < 0:
            # Kept: a CRLF and all but the last byte of a delimiter
            self.at = max(self.at, len(self.buffer) - len(line) - 1)
            if not self.more():
                self.at = len(self.buffer)
                return
        if self.buffer[max(0, found - 2) : found] != b"\r\n":
            raise BadRequest("malformed multipart body: text in front of the first boundary")
        self.at = found - 2

    def end_of_delimiter(self) -> bytes | None:
        """Take a delimiter and its padding; return b"--" for the last one, b"" for any other, and None
        where the body ends before that is clear.
        """
        self.at += len(self.delimiter)
        while len(self.buffer) - self.at < 2:
            if not self.more():
                return None
        mark = b"--" if self.buffer.startswith(b"--", self.at) else b""
        self.at += len(mark)
        if self.buffer.startswith(b"\r\n", self.at):
            return mark
        while True:
            line = self.buffer[self.at : self.at + self._longest + 3]
            rest = line.lstrip(b" \t")
            if len(rest) > 1 or len(line) - len(rest) > self._longest or not self.more():
                break
        if len(line) - len(rest) > self._longest:
            raise BadRequest("malformed multipart body: a boundary is followed by endless spaces")
        if mark and rest[:1] in (b"", b"\r", b"\n"):
            return mark
        if rest in (b"", b"\r"):
            return None
        if not rest.startswith(b"\r\n"):
            raise BadRequest(
                f"malformed multipart body: {rest[:2]!r} after a boundary, not its line end"
            )
        self.at += len(line) - len(rest)
        return mark

    def header(self, line: "Callable[[bytes], object]") -> bool:
        """Take the header of a part, from the CRLF in front of it, and call `line` with each of its
        lines; tell whether the blank line came.
        """
        while True:
            self.at += 2
            while (found := self.buffer.find(b"\r\n", self.at)) < 0:
                # A CR at the end may belong to the line's own end
                if len(self.buffer) - self.at > self._longest + 1:
                    raise LimitExceeded("part_header", self._longest, self._longest + 1)
                if not self.more():
                    return False
            start, self.at = self.at, found
            if start == found:
                return True  # the CRLF of the blank line may be that of a delimiter
            line(self.buffer[start:found])

    def content(self) -> "Iterator[bytes]":
        """Yield the content of a part up to the CRLF of the next delimiter; go to that."""
        passed = 2  # the blank line, which is there for the search only
        while (found := self.buffer.find(self.delimiter, self.at)) < 0:
            start = max(self.at, len(self.buffer) - len(self.delimiter) + 1)
            held = self.buffer.rfind(b"\r", start)
            if held < 0 or not self.delimiter.startswith(self.buffer[held:]):
                held = len(self.buffer)
            if held >= self.at + passed:
                yield self.buffer[self.at + passed : held]
                self.at, passed = held, 0
            if not self.more():
                yield self.buffer[self.at + passed :]
                self.at = len(self.buffer)
                return
        yield self.buffer[self.at + passed : found]
        self.at = found

    def check_epilogue(self) -> None:
        """Read what follows the last delimiter; it says nothing, unless there is one more."""
        line = b"\n" + self.delimiter[2:]
        while self.buffer.find(line, self.at) < 0:
            self.at = max(self.at, len(self.buffer) - len(line) + 1)
            if not self.more():
                return
        raise BadRequest("malformed multipart body: a boundary after the last one")
