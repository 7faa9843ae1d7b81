"""One session's file: how it is locked, and how a record stands in it. Internal to `file.py`.

A line with a mark and the end, then the payload; the file's time stamp (mtime) is when it was used
last. `read` and `write` are inverses.
"""

import os

from .payload import MOST_BYTES
from .store import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

    from .file import FileStore

MARK = b"cgikit-session "
HEAD = 80  # bytes that the first line has at most


def write(fd: int, record: Record) -> None:
    """Write a record into a new file. The inverse is `read`."""
    data = MARK + b"1 %.6f\n" % record.expires + record.payload
    while data:  # a full disk writes what fits, and fails the next time
        data = data[os.write(fd, data) :]
    stamp = int(record.accessed * 1e9)
    os.utime(fd, ns=(stamp, stamp))


def read(fd: int) -> Record:
    """Return the record in a file, and no more of it than can be right. The inverse is `write`."""
    accessed = os.fstat(fd).st_mtime_ns / 1e9
    raw = b""
    while len(raw) <= MOST_BYTES + HEAD:
        piece = os.read(fd, MOST_BYTES + HEAD + 1 - len(raw))
        if not piece:
            break
        raw += piece
    return parse(raw, accessed)


def parse(raw: bytes, accessed: float) -> Record:
    """Return the record in the bytes of a file. Without a first line like ours all of it is payload,
    which then is none, and without an end: so it comes to be set aside, not deleted.
    """
    head, newline, payload = raw.partition(b"\n")
    try:
        if not newline or len(head) > HEAD or not head.startswith(MARK + b"1 "):
            raise ValueError
        expires = float(head[len(MARK) + 2 :])
        if expires - expires != 0:
            raise ValueError  # "nan" would be deleted as if it were over
        return Record(payload, accessed, expires)
    except ValueError:
        return Record(raw, accessed, float("inf"))


class FileLock:
    """The lock of one session: flock on its file. Entered, it gives the record read under it."""

    def __init__(self, store: "FileStore", key: str, timeout: float) -> None:
        self._store = store
        self._key = key
        self._timeout = timeout
        self._fd: int | None = None
        self._owner = 0

    def __enter__(self) -> Record | None:
        from time import monotonic, sleep

        deadline = monotonic() + self._timeout
        pause = 0.0005
        while True:
            # Writable: over NFS an exclusive lock needs that.
            fd = self._store._open(self._key, writable=True)
            if fd is None:
                return None
            try:
                while not _flock(fd):
                    if monotonic() >= deadline:
                        raise self._late()
                    sleep(pause)
                    pause = min(pause * 2, 0.02)
                # Whoever held it has put another file in its place, or none: ours excludes nobody.
                if self._is_current(fd):
                    record = read(fd)
                    self._fd, self._owner = fd, os.getpid()
                    return record
            except OSError as error:
                if hasattr(error, "status"):
                    raise  # one of ours already
                raise self._store._error("cannot lock the session", error, self._key) from error
            finally:
                if self._fd is None:
                    close(fd)

    def __exit__(
        self,
        kind: "type[BaseException] | None",
        error: "BaseException | None",
        trace: "TracebackType | None",
    ) -> None:
        if self._fd is None:
            return
        # Children that were forked meanwhile share the lock. One that lives on must not keep it when
        # we let go, and one that ends must not let go for us.
        if os.getpid() == self._owner:
            _unlock(self._fd)
        close(self._fd)
        self._fd = None

    def _is_current(self, fd: int) -> bool:
        held = os.fstat(fd)
        with Closing(self._store._fan(self._key)) as fan:
            if fan is None:
                return False
            try:
                named = os.stat(self._key, dir_fd=fan, follow_symlinks=False)
            except FileNotFoundError:
                return False
        return (held.st_dev, held.st_ino) == (named.st_dev, named.st_ino)

    def _late(self) -> Exception:
        from ..errors import LockTimeout

        return LockTimeout(self._store._path(self._key), self._timeout)


class Closing:
    """A descriptor, or None, that is closed at the end of the block."""

    def __init__(self, fd: int | None) -> None:
        self._fd = fd

    def __enter__(self) -> int | None:
        return self._fd

    def __exit__(self, *_: object) -> None:
        if self._fd is not None:
            close(self._fd)


def close(fd: int) -> None:
    """Close what was only read: no data can be lost by it, and the descriptor is gone in any case."""
    try:
        os.close(fd)
    except OSError:
        pass


def _flock(fd: int) -> bool:
    import fcntl

    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _unlock(fd: int) -> None:
    import fcntl

    try:
        fcntl.flock(fd, fcntl.LOCK_UN)
    except OSError:
        pass  # it ends when the descriptor is closed, which comes next
