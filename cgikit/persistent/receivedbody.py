"""Internal. The body of a request over FastCGI: what has been received of it and not been read yet.

Counts the bytes, and keeps them in memory or, if there are many, on disk (`gateway.spool`). Nothing in
this module waits: `connection.py` receives the bytes and decides how long to wait for more.
"""

from ..errors import BodyNotReceived
from ..gateway.spool import Spool
from ..process import write_log

CHUNK = 65_536
MEMORY = 131_072  # bytes that wait in memory; more than that goes to disk
UNLIMITED = 1 << 62
_NO_ROOM = (28, 122)  # ENOSPC, EDQUOT


class ReceivedBody:
    """A body of `length` bytes, of which at most `limit` are kept for the handler, in `directory` if
    they are too many for memory.

    `.received` is the number of bytes received so far, `.length` how many the peer is expected to send
    (`UNLIMITED` if it announced no length). `.ended` is True once the peer has sent the end. `.failed`
    is the error that reading raises after the bytes that were kept (None if there is none).
    """

    __slots__ = (
        "_at", "_data", "_directory", "_is_wanted", "_spool", "ended", "failed", "length", "limit",
        "received",
    )  # fmt: skip

    def __init__(self, length: int = 0, limit: int = 0, directory: str = "") -> None:
        self.length = length
        self.limit = limit
        self.received = 0
        self.ended = False
        self.failed: BodyNotReceived | None = None
        self._data, self._at = b"", 0  # the piece that is being read, and how far
        self._spool: Spool | None = None  # what follows that piece
        self._directory = directory
        self._is_wanted = True

    @property
    def is_owed(self) -> bool:
        """Whether the peer has yet to send some of the body."""
        return not self.ended and self.received < self.length

    def add(self, data: bytes) -> None:
        """Count a piece, and keep what the handler may still read of it."""
        room = self.limit - self.received
        self.received += len(data)
        if not self._is_wanted or room <= 0 or self.failed is not None:
            return
        data = data[:room]
        if self._at == len(self._data) and not (self._spool is not None and self._spool.size):
            self._data, self._at = data, 0
            return
        if self._spool is None:
            self._spool = Spool(MEMORY, UNLIMITED, self._directory)
        self._spool.write(data)
        if self._spool.is_full:
            self._fail(self._spool.error)

    def read(self, size: int) -> bytes | None:
        """Return at most `size` bytes (all if it is negative), without waiting: b"" at the end of the
        body, or None if more is to come. Raises `.failed`, if there is one, after the last byte.
        """
        if self._at == len(self._data):
            if self._spool is not None and self._spool.size:
                self._data, self._at = self._spool.read(CHUNK), 0
            elif self.failed is not None:
                raise self.failed
            else:
                return b"" if self.ended else None
        if not self._at and 0 < len(self._data) <= size:
            self._at = len(self._data)
            return self._data
        end = len(self._data) if size < 0 else self._at + size
        data = self._data[self._at : end]
        self._at += len(data)
        return data

    def give_up(self) -> BodyNotReceived:
        """Expect no more bytes; return the error that reading raises from now on."""
        self.length = 0
        if self.failed is None:
            self.failed = BodyNotReceived(408, "the body came too slowly")
        return self.failed

    def discard(self) -> None:
        """Drop what was kept, and keep nothing more: the handler has finished."""
        self._is_wanted = False
        self._data, self._at = b"", 0
        self.close()

    def close(self) -> None:
        """Close the file on disk."""
        if self._spool is not None:
            self._spool.close()

    def _fail(self, error: OSError | None) -> None:
        """Let reading fail, because the disk did not take all that was received; say so in the log."""
        full = error is not None and error.errno in _NO_ROOM
        self.failed = BodyNotReceived(
            507 if full else 503, "the server has no room for the body; try again later"
        )
        why = error.strerror if error is not None else "the limit of the file is reached"
        write_log(
            f"cgikit: a request's body cannot be stored in {self._directory}: {why}; make room there, "
            "or set TMPDIR\n"
        )
