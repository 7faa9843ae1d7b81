"""Internal. The delimiters between the parts of a multipart body (RFC 2046 section 5.1.1), normalized.

The `multipart` package does not support all of their forms. So it gets the same body with every
delimiter in its simplest form and with the same header in every part. This module decides what is a
delimiter, and what may precede the first and follow the last one. `partheader.py` parses the original
headers of the parts. Pure: bytes in, bytes out.
"""

from .errors import BadRequest, LimitExceeded
from .limits import Limits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_HEADER = b'\r\nContent-Disposition: form-data; name=""\r\n\r\n'


def plain(
    chunks: "Iterable[bytes]", boundary: bytes, limits: Limits, line: "Callable[[bytes], object]"
) -> "Iterator[tuple[bool, bytes]]":
    """Yield the body in `chunks` in the one form that the package reads: without preamble and epilogue,
    every delimiter without padding, the same header in each part. The pieces are cut differently; with
    each comes whether it is content of a part, in which there is no delimiter: the package need not
    search it again.

    `line` is called with each line of the original header of a part, before that part is yielded. A
    part without a body may end after its header (the CRLF of the delimiter is then its blank line); it
    gets an empty body. A body that ends early is yielded as far as it goes.

    Raises `BadRequest` if anything but spaces and tabs follows a delimiter in its line, for text before
    the first delimiter in its line, and for a delimiter after the last one: a part would be silently
    lost. A line of a header longer than `limits.part_header` raises `LimitExceeded`.
    """
    body = _Body(chunks, boundary, limits.part_header)
    body.skip_preamble()
    while body.left():
        mark = body.end_of_delimiter()
        if mark:
            yield False, body.delimiter + mark
            body.check_epilogue()
            return
        if mark is None or not body.header(line):
            yield False, body.delimiter  # incomplete: the package reports that the end is missing
            return
        yield False, body.delimiter + _HEADER
        for piece in body.content():
            if piece:
                yield True, piece


class _Body:
    """The bytes of a body that were read and not yet yielded: `buffer` from `at`."""

    def __init__(self, chunks: "Iterable[bytes]", boundary: bytes, longest: int) -> None:
        self.delimiter = b"\r\n--" + boundary
        self.buffer = b"\r\n"  # so that the first delimiter is preceded by one like all others
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
        """Go to the first delimiter; what precedes it has no meaning."""
        line = self.delimiter[2:]
        while (found := self.buffer.find(line, self.at)) < 0:
            # Keep a CRLF and all but the last byte of a delimiter.
            self.at = max(self.at, len(self.buffer) - len(line) - 1)
            if not self.more():
                self.at = len(self.buffer)
                return
        if self.buffer[max(0, found - 2) : found] != b"\r\n":
            raise BadRequest(
                "malformed multipart body: text precedes the first boundary in its line; a boundary "
                "must begin a line"
            )
        self.at = found - 2

    def end_of_delimiter(self) -> bytes | None:
        """Go past a delimiter and its padding. Return b"--" for the last delimiter, b"" for any other,
        None if the body ends before that is known.
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
            raise BadRequest(
                f"malformed multipart body: more than {self._longest} spaces follow a boundary; send a "
                "line end"
            )
        if mark and rest[:1] in (b"", b"\r", b"\n"):
            return mark
        if rest in (b"", b"\r"):
            return None
        if not rest.startswith(b"\r\n"):
            raise BadRequest(
                f"malformed multipart body: {rest[:2]!r} follows a boundary; a line end is expected"
            )
        self.at += len(line) - len(rest)
        return mark

    def header(self, line: "Callable[[bytes], object]") -> bool:
        """Read the header of a part, beginning at the CRLF before it, and call `line` with each of its
        lines. Return whether there is a blank line at its end.
        """
        while True:
            self.at += 2
            while (found := self.buffer.find(b"\r\n", self.at)) < 0:
                # A CR at the end may belong to the end of the line.
                if len(self.buffer) - self.at > self._longest + 1:
                    raise LimitExceeded("part_header", self._longest, self._longest + 1)
                if not self.more():
                    return False
            start, self.at = self.at, found
            if start == found:
                return True  # the CRLF of the blank line may also be that of a delimiter
            line(self.buffer[start:found])

    def content(self) -> "Iterator[bytes]":
        """Yield the content of a part up to the CRLF of the next delimiter, and go to that CRLF."""
        passed = 2  # the blank line, which is only needed for the search
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
        """Read what follows the last delimiter. It has no meaning, but must not contain another one."""
        line = b"\n" + self.delimiter[2:]
        while self.buffer.find(line, self.at) < 0:
            self.at = max(self.at, len(self.buffer) - len(line) + 1)
            if not self.more():
                return
        raise BadRequest(
            "malformed multipart body: another boundary follows the last one; send nothing after that"
        )
