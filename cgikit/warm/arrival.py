"""The body of one request on its way from the web server to a script.

It is read from the peer as it comes, whether or not the script reads it: some web servers read no
answer before it has sent the whole body, and then both would wait. What the script has not read waits
in memory, then on disk. This module decides how long a body is and when it is whole (RFC 3875 sections
4.1.2 and 4.2); `connections.py` decides how slow its peer may be.
"""

from ..gateway.spool import Spool
from ..host.problem import Problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

MEMORY = 262_144  # bytes of a body that wait in memory
_NO_ROOM = (28, 122)  # ENOSPC, EDQUOT


class Arrival:
    """A body that comes in pieces. `limit` is how many bytes it may have; what waits on disk is in
    `directory`.

    `.is_owed` tells whether the peer still has to send some of it. `.length` is its length in bytes;
    it is None until the end if it was not announced. `.waiting` is how many bytes the script has not
    read.
    """

    __slots__ = ("_limit", "_spool", "_wanted", "is_owed", "length", "received")

    def __init__(
        self, variables: "Mapping[str, str]", ends: bool, limit: int, directory: str
    ) -> None:
        """Check what is announced. `ends` tells whether the protocol marks the end of a body.

        `Problem` 400, 411 or 413 where the request cannot be answered.
        """
        self._limit = limit
        self._spool = Spool(MEMORY, limit, directory)
        self._wanted = True  # by the script
        self.received = 0
        self.length = announced_length(variables, ends)
        self.is_owed = self.length != 0
        if self.length is not None and self.length > limit:
            raise too_large(self.length, limit)

    @property
    def waiting(self) -> int:
        """How many bytes wait for the script."""
        return self._spool.size

    def take(self, data: bytes) -> None:
        """Take a piece from the peer; b"" is the end of what it sends. Anything beyond the announced
        length is dropped.

        `Problem`: 400 if the end comes early, 413 beyond the limit, 507 or 503 if the disk takes no
        more.
        """
        if not self.is_owed:
            return
        if not data:
            self.is_owed = False
            if self.length is not None:
                raise Problem(
                    400, f"The request's body ended after {self.received} of {self.length} bytes."
                )
            self.length = self.received
            return
        if self.length is not None:
            data = data[: self.length - self.received]
        self.received += len(data)
        if self.received > self._limit:
            raise too_large(self.received, self._limit)
        self.is_owed = self.received != self.length
        if self._wanted:
            self._spool.write(data)
            if self._spool.is_full:
                raise _no_room(self._spool.error)

    def read(self, size: int) -> bytes:
        """Return the next bytes for the script, at most `size`; b"" if none wait now."""
        return self._spool.read(size)

    def drop(self) -> None:
        """Drop what waits and what is still to come: the script does not want it."""
        self._wanted = False
        self._spool.close()


def announced_length(variables: "Mapping[str, str]", ends: bool) -> int | None:
    """Return the length of a request's body in bytes; None if only its end will tell.

    A GET or HEAD without a length has no body, unless it is sent in chunks: a web server would not
    mark the end of one. `Problem` 400 if CONTENT_LENGTH is not a number, 411 if the protocol cannot
    mark the end.
    """
    length = variables.get("CONTENT_LENGTH", "")
    if length == "-1" and ends:  # what Caddy sends for a body in chunks
        return None
    if length:
        if not (length.isascii() and length.isdigit() and len(length) <= 18):
            raise Problem(400, "The request's Content-Length is not a number.")
        return int(length)
    if "HTTP_TRANSFER_ENCODING" in variables:
        if not ends:
            raise Problem(411, "The request's body has no Content-Length.")  # R39
        return None
    return 0 if not ends or variables.get("REQUEST_METHOD", "GET") in ("GET", "HEAD") else None


def too_large(size: int, limit: int) -> Problem:
    """Return the error for a body of `size` bytes, or more."""
    return Problem(
        413,
        f"The request's body has {size} bytes or more; {limit} are allowed.",
        "Allow larger ones with --body.",
    )


def _no_room(error: OSError | None) -> Problem:
    """Return the error for a body that the disk does not take."""
    full = error is not None and error.errno in _NO_ROOM
    why = error.strerror if error is not None else "the limit is reached"
    return Problem(
        507 if full else 503,
        f"The request's body cannot be kept until the script reads it: {why}.",
        "Make room in the temporary directory, or name another one in TMPDIR.",
        headers=(("Retry-After", "5"),),
    )
