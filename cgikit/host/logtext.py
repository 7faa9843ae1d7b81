"""Text as it looks in a log: one event, one line, nothing that a terminal would obey.

A request or a script that could print a line end, or a terminal's escape sequence, could forge events
or repaint the console.
"""

from ..characters import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


def one_line(text: str, limit: int = 2_000) -> str:
    """Return `text` with everything unprintable but tabs escaped, and cut after `limit` characters."""
    if len(text) > limit:
        text = f"{text[:limit]}… ({len(text) - limit} more characters)"
    return printable(text)


class Lines:
    """The lines of a stream of bytes, as they become whole, each as one line of a log.

    A line without an end is broken, so that a stream takes no memory.
    """

    MAX_BYTES = 8_192

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[str]:
        """Take what came; return the lines that are whole now."""
        *lines, rest = (bytes(self._rest) + data).split(b"\n")
        while len(rest) > self.MAX_BYTES:
            lines.append(rest[: self.MAX_BYTES])
            rest = rest[self.MAX_BYTES :]
        self._rest[:] = rest
        return [text for line in lines for text in self._shown(line)]

    def end(self) -> list[str]:
        """Return the rest, which has no line end."""
        rest = bytes(self._rest)
        self._rest.clear()
        return list(self._shown(rest)) if rest else []

    def _shown(self, line: bytes) -> "Iterator[str]":
        for start in range(0, max(len(line), 1), self.MAX_BYTES):
            piece = line[start : start + self.MAX_BYTES].removesuffix(b"\r")
            # An undecodable byte is shown as four characters
            yield one_line(piece.decode("utf-8", "backslashreplace"), 4 * self.MAX_BYTES)
