"""The header block of a script's output, as a web server behind FastCGI or SCGI is to get it.

`host/output.py` decides whether a block is valid. This module writes it for the server and remembers
it: most scripts print the same few blocks again and again.
"""

import os

from ..host.output import LocalRedirect, NPHParser, OutputParser, ScriptResponse, reason_of
from ..host.problem import Problem

#: Blocks that were judged, as they were printed: what goes out for each, and the length it announces.
KnownBlocks = dict[bytes, tuple[bytes, int | None]]

MAX_KNOWN = 1_000  # blocks that are remembered
_KNOWN_SIZE = 512  # bytes of such a block


class Header:
    """The header block of one response, fed piece by piece.

    Once `feed` has returned bytes, `.size` is the number of bytes of the body so far, `.announced` its
    length as the script announced it (None: it did not), `.mute` whether the body must not be sent.
    `.redirect` is the target of a local redirect, or "" if the response is not one.
    """

    def __init__(self, known: KnownBlocks, *, nph: bool, head: bool) -> None:
        self._known = known
        self._nph = nph
        self._parser: OutputParser | None = None
        self.size = 0
        self.announced: int | None = None
        self.mute = head  # R40
        self.redirect = ""

    @property
    def is_whole(self) -> bool:
        """Whether the whole body has come. Without a length that is unknown: False."""
        return self.announced is not None and self.size >= self.announced

    @property
    def is_short(self) -> bool:
        """Whether less of the body has come than was announced, and it is to be sent."""
        return self.announced is not None and self.size < self.announced and not self.mute

    def passed(self, data: bytes | memoryview) -> bytes | memoryview:
        """Count a piece of the body; return the part that is sent: nothing beyond its length."""
        room = len(data) if self.announced is None else max(0, self.announced - self.size)
        self.size += len(data)
        return b"" if self.mute else data if room >= len(data) else data[:room]

    def feed(self, data: bytes) -> bytes | None:
        """Take a piece of output; return the block as it is sent, with the beginning of the body, or
        None while the block is not complete. `Problem` 500 if it is not valid.
        """
        block = b""
        if self._parser is None:
            end = min(_after(data, b"\n\n"), _after(data, b"\n\r\n"))
            block = data[:end] if end <= _KNOWN_SIZE and not self._nph else b""
            known = self._known.get(block)
            if known is not None:
                self.announced = known[1]
                return known[0] + self.passed(data[end:])
            self._parser = NPHParser() if self._nph else OutputParser()
        found = self._parser.feed(data)
        if found is None:
            return None
        if isinstance(found, LocalRedirect):
            self.redirect = found.target
            # A bare Location is an empty page for some web servers
            target = os.fsencode(found.target)
            return b"Status: 302 Found\r\nLocation: " + target + b"\r\n\r\n"
        self.announced = found.content_length
        written = written_block(found)
        if found.status in (204, 304):
            self.mute = True
        elif block and len(self._known) < MAX_KNOWN:
            self._known[block] = written, self.announced
        return written + self.passed(found.rest)

    def end(self) -> Problem | None:
        """Return what is wrong with output that ended before its block, or None if there was none."""
        return self._parser.end() if self._parser is not None else None


def written_block(response: ScriptResponse) -> bytes:
    """Return a header block for the web server (RFC 3875 section 6.3)."""
    lines = [f"Status: {response.status} {response.reason or reason_of(response.status)}"]
    lines += [f"{name}: {value}" for name, value in response.headers]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def _after(data: bytes, mark: bytes) -> int:
    found = data.find(mark)
    return found + len(mark) if found >= 0 else len(data) + 1
