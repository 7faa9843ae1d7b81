"""A queue of bytes between a writer and a reader, in memory first and then on disk.

First in, first out. This module does not decide whose bytes these are or how long they may wait; it
implements no standard. The file has no name, so it disappears with the process, however that ends.
"""

import os

_CHUNK = 1 << 20  # bytes per write to the file


class Spool:
    """A queue of bytes. Up to `memory` bytes of it are in memory, up to `limit` more in a file in
    `directory`.

    All that is written is accepted. Bytes beyond the limit, or that cannot be written to disk, stay in
    memory: then `.is_full` asks the writer to stop until more has been read, and `.error` is the error
    of the disk (`OSError`, or None). `.size` is the number of bytes that wait.
    """

    __slots__ = (
        "_at", "_directory", "_end", "_fd", "_first", "_last", "_limit", "_memory", "error", "size",
    )  # fmt: skip

    def __init__(self, memory: int, limit: int, directory: str) -> None:
        self._memory = memory
        self._limit = limit
        self._directory = directory
        self._first = bytearray()  # before the bytes in the file
        self._last = bytearray()  # after them
        self._fd = -1
        self._at = self._end = 0  # positions in the file: read and written up to
        self.size = 0
        self.error: OSError | None = None

    @property
    def is_full(self) -> bool:
        """Whether the limit is reached, or the disk is full."""
        return bool(self._last)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Append a copy of `data`."""
        self.size += len(data)
        full = self._last or self._at < self._end or len(self._first) + len(data) > self._memory
        if not full:
            self._first += data
            return
        kept = 0 if self._last else self._store(memoryview(data))
        if kept < len(data):
            self._last += memoryview(data)[kept:]

    def read(self, size: int) -> bytes:
        """Remove and return at most `size` bytes from the beginning; b"" if none wait.

        Raises `OSError` if the disk does not return what was written to it.
        """
        if self._last and not self._first and self._at == self._end:
            self._rewind()
        waiting = self._first
        if waiting:
            if size >= len(waiting):
                data, self._first = bytes(waiting), bytearray()
            else:
                data = bytes(memoryview(waiting)[:size])
                del waiting[:size]
        elif self._at < self._end:
            data = os.pread(self._fd, min(size, self._end - self._at), self._at)
            if not data:
                raise OSError(5, "the temporary file has become shorter")  # EIO
            self._at += len(data)
        else:
            data = b""
        if not self._first and self._at == self._end:
            self._rewind()
        self.size -= len(data)
        return data

    def close(self) -> None:
        """Drop all bytes that wait. The spool can be used again."""
        self._first.clear()
        self._last.clear()
        self._at = self._end = self.size = 0
        self.error = None
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __del__(self) -> None:
        self.close()

    def _rewind(self) -> None:
        """Empty the file: all of it has been read."""
        if self._end:
            os.ftruncate(self._fd, 0)
            self._at = self._end = 0
        self.error = None
        self._first, self._last = self._last, self._first

    def _store(self, data: memoryview) -> int:
        """Write to the file; return how many bytes were written."""
        room = min(len(data), max(0, self._limit - self._end))
        done = 0
        try:
            if room and self._fd < 0:
                self._fd = _unnamed(self._directory)
            # A disk that becomes full takes what fits, and fails the next time
            while done < room:
                written = os.pwrite(self._fd, data[done : min(room, done + _CHUNK)], self._end)
                done += written
                self._end += written
        except OSError as error:
            self.error = error
        return done


def _unnamed(directory: str) -> int:
    """Open a file without a name; return its descriptor."""
    unnamed = getattr(os, "O_TMPFILE", 0)
    if unnamed:
        try:
            return os.open(directory, os.O_RDWR | unnamed | os.O_CLOEXEC, 0o600)
        except OSError as error:
            if error.errno not in (21, 22, 95):  # EISDIR, EINVAL, EOPNOTSUPP: not on this system
                raise
    path = os.path.join(directory, f".{os.urandom(12).hex()}.spool")
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    fd = os.open(path, flags, 0o600)
    os.unlink(path)
    return fd
