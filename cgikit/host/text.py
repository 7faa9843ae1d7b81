"""Text from outside as one line of a log: control characters are shown, never obeyed.

A log event is one line. A request or a script that could print a line end, or a terminal's escape
sequence, could forge events or repaint the console. Only this conversion lives here.
"""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


def one_line(text: str, limit: int = 2_000) -> str:
    r"""Return `text` with everything unprintable escaped, cut after `limit` characters.

    A tab stays; `"\x1b"` becomes the four characters `\x1b`. Lone surrogates (undecodable bytes)
    are unprintable as well, so that the result always encodes.
    """
    if len(text) > limit:
        text = f"{text[:limit]}… ({len(text) - limit} more characters)"
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\t" else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


class Lines:
    """The lines of a stream of bytes, as they become whole, each as one line of a log.

    A line without an end is broken, so that a stream takes no memory.
    """

    LONGEST = 8_192  # bytes

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[str]:
        """Take what came; return the lines that are whole now."""
        *lines, rest = (bytes(self._rest) + data).split(b"\n")
        while len(rest) > self.LONGEST:
            lines.append(rest[: self.LONGEST])
            rest = rest[self.LONGEST :]
        self._rest[:] = rest
        return [text for line in lines for text in self._shown(line)]

    def end(self) -> list[str]:
        """Return what is left without a line end."""
        rest = bytes(self._rest)
        self._rest.clear()
        return list(self._shown(rest)) if rest else []

    def _shown(self, line: bytes) -> "Iterator[str]":
        for start in range(0, max(len(line), 1), self.LONGEST):
            piece = line[start : start + self.LONGEST].removesuffix(b"\r")
            # An undecodable byte is shown as four characters
            yield one_line(piece.decode("utf-8", "backslashreplace"), 4 * self.LONGEST)


def native(latin1: str) -> str:
    """Return the text as `os` functions want it: the same bytes, decoded as file names are.

    HTTP and WSGI hand over bytes as ISO-8859-1 text. `UnicodeEncodeError` if it is not such text.
    """
    return os.fsdecode(latin1.encode("latin-1"))
