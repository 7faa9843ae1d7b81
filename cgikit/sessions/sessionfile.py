"""The file of one session: what it holds, and how it is locked. Internal to `file.py`.

It holds a line with a mark and the session's end, then the payload. Its time stamp (mtime) says when
the session was used last. `read` and `write` are inverses. `directory.py` decides its path.
"""

import os
from stat import S_ISREG

from ..regularfile import close_quietly, write_all
from .payload import MAX_BYTES
from .store import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

    from .directory import Holder, SessionDirectory, Shard

MARK = b"cgikit-session "
_GLANCE = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
_GLANCED = 8_192  # bytes; larger files are read with care
HEAD = 80  # bytes: the longest first line


def write(fd: int, record: Record) -> None:
    """Write a record into a new file. The inverse is `read`."""
    write_all(fd, MARK + b"1 %.6f\n" % record.expires + record.payload)
    stamp = int(record.accessed * 1e9)
    os.utime(fd, ns=(stamp, stamp))


def read(fd: int) -> Record:
    """Return the record in a file, reading no more than a valid record can have. The inverse is
    `write`.
    """
    found = os.fstat(fd)
    accessed = found.st_mtime_ns / 1e9
    most = max(found.st_size + 1, HEAD)  # so that one read is enough, and no more memory than that
    raw = b""
    while len(raw) <= MAX_BYTES + HEAD:
        wanted = min(MAX_BYTES + HEAD + 1 - len(raw), most)
        piece = os.read(fd, wanted)
        raw += piece
        if len(piece) < wanted:
            break  # a regular file gives less only at its end
    return parse(raw, accessed)


def glance(name: str, directory: int) -> Record | None:
    """Return the record in the file `name` of an open directory by as few system calls as possible.
    None if anything is unusual: then opening it with care says what is there.
    """
    fd = -1
    try:
        fd = os.open(name, _GLANCE, dir_fd=directory)
        found = os.fstat(fd)
        if S_ISREG(found.st_mode) and found.st_uid == os.geteuid():
            raw = os.read(fd, _GLANCED)
            if len(raw) == found.st_size < _GLANCED:
                return parse(raw, found.st_mtime_ns / 1e9)
    except OSError:
        pass
    finally:
        if fd >= 0:
            close_quietly(fd)
    return None


def parse(raw: bytes, accessed: float) -> Record:
    """Return the record in the bytes of a file. Without a valid first line, all of it becomes the
    payload, which is then not valid, and never ends: so the file is set aside, and not deleted.
    """
    head, newline, payload = raw.partition(b"\n")
    try:
        if not newline or len(head) > HEAD or not head.startswith(MARK + b"1 "):
            raise ValueError
        expires = float(head[len(MARK) + 2 :])
        if expires - expires != 0:
            raise ValueError  # "nan" would count as the past, and the session be deleted
        return Record(payload, accessed, expires)
    except ValueError:
        return Record(raw, accessed, float("inf"))


class SessionFileLock:
    """The lock of one session: flock on its file. Entering it returns the record read under it."""

    def __init__(self, directory: "SessionDirectory", key: str, timeout: float) -> None:
        self._directory = directory
        self._key = key
        self._timeout = timeout
        self._fd = -1
        self._holder: Holder | None = None
        self._owner = 0  # the process that has taken it

    def __enter__(self) -> Record | None:
        from time import monotonic

        deadline = monotonic() + self._timeout
        with self._directory.attempt("cannot lock the session", self._key):
            while True:
                shard = self._directory.shard(self._key)
                try:
                    record = self._take(shard, deadline)
                    if record is not None:
                        self._holder = self._directory.keep(self._key, shard)
                        return record
                finally:
                    if self._holder is None:
                        shard.close()
        return None

    def __exit__(
        self,
        kind: "type[BaseException] | None",
        error: "BaseException | None",
        trace: "TracebackType | None",
    ) -> None:
        if self._holder is None:
            return
        # Forked children share the lock. A child that outlives us must not keep it, so it is unlocked
        # explicitly; a child that ends must not unlock it for us.
        if os.getpid() == self._owner:
            _unlock(self._fd)
        close_quietly(self._fd)
        self._directory.let_go(self._holder)
        self._holder = None

    def _take(self, shard: "Shard", deadline: float) -> Record | None:
        """Lock the session's file, and read it; None if its name leads to another one by then."""
        # Writable: over NFS an exclusive lock needs that.
        fd = shard.open(self._key, writable=True)
        record = None
        try:
            self._wait(fd, deadline)
            # Its former holder may have put another file in its place, or none: this lock would
            # exclude nobody.
            if self._is_current(fd):
                record = read(fd)
                self._fd, self._owner = fd, os.getpid()
            return record
        finally:
            if record is None:
                close_quietly(fd)

    def _wait(self, fd: int, deadline: float) -> None:
        if _flock(fd):
            return
        from ..waiting import wait_for

        if not wait_for(lambda: _flock(fd) or None, deadline):
            from ..errors import LockTimeout

            raise LockTimeout(self._directory.file_path(self._key), self._timeout)

    def _is_current(self, fd: int) -> bool:
        held = os.fstat(fd)
        try:
            named = os.stat(self._directory.file_path(self._key), follow_symlinks=False)
        except FileNotFoundError:
            return False
        return (held.st_dev, held.st_ino) == (named.st_dev, named.st_ino)


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
        pass  # closing the descriptor, which comes next, releases it too
