"""Text that came as bytes: its forms, the ways between them, and how it looks in a log.

All text in the host is *native*: bytes decoded as `os.fsdecode` does it, so that what came in goes out
to a script, or to the file system, as the same bytes. WSGI (PEP 3333) hands over the same bytes as
ISO-8859-1 text, which `native` converts where it comes in. One exception: a script's header block stays
ISO-8859-1, because that is what HTTP and WSGI take back. Percent-escapes stand for bytes as well, so
they are decoded here and nowhere else.

A log event is one line. A request or a script that could print a line end, or a terminal's escape
sequence, could forge events or repaint the console.
"""

import os
import re

from cgikit.gateway.wire import native as native

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_BAD_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")
_ESCAPE = re.compile(b"%([0-9A-Fa-f]{2})")


def unescaped(text: str) -> bytes | None:
    """Return the bytes that percent-encoded text stands for (RFC 3986 section 2.1), None where a "%" is
    not followed by two hexadecimal digits. What is not escaped stays as it is.
    """
    if "%" not in text:
        return os.fsencode(text)
    if _BAD_ESCAPE.search(text):
        return None
    return _ESCAPE.sub(_byte, os.fsencode(text))


def _byte(match: re.Match[bytes]) -> bytes:
    return bytes.fromhex(match[1].decode())


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
