"""Files that carry state: replaced whole or added to by whole lines, whatever happens meanwhile.

A process that is killed at any point leaves the old content or the new one (rename(2) of POSIX, and
flock). What is in a file is the caller's business: numbers are that of `counters`, JSON that of
`jsonfile`. Waiting for others belongs to `locks`.
"""

import os
from fcntl import LOCK_EX
from stat import S_ISREG
from time import monotonic

from .locks import (
    MOST_TRIES,
    Typed,
    close,
    late,
    leads_to,
    lock,
    make_directory,
    storage_error,
    sync_directory,
    wait,
)
from .locks import FileLock as FileLock
from .process import absolute
from .regularfile import NotRegular, open_regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, BinaryIO

    Data = bytes | bytearray | memoryview | str | Callable[[BinaryIO], object]


def atomic_write(
    path: "str | os.PathLike[str]",
    data: "Data",
    *,
    mode: int | None = None,
    durable: bool = False,
    timeout: float = 10.0,
) -> None:
    """Replace the content of a file, or make the file: whole, or not at all.

    `data` is bytes, text (written as UTF-8), or a function that is called with a binary file and
    writes into that; if it raises, nothing has happened. The file gets `mode`; without one it keeps
    its mode, owner and group, and a new one gets those of the umask. With `durable` the content is on
    the disk when this returns (fsync). Others who write to `path` are waited for, at most `timeout`
    seconds (`LockTimeout`). `StorageError` where the system refuses; the old content is then intact,
    and a symbolic link, or anything that is no file, is always refused.
    """
    content = data.encode() if isinstance(data, str) else data
    replace(absolute(path), content, mode=mode, durable=durable, timeout=timeout)


def append_line(
    path: "str | os.PathLike[str]",
    line: str | bytes,
    *,
    durable: bool = False,
    timeout: float = 10.0,
) -> None:
    """Add a line to a file, which is made if it is missing: the whole line, or nothing.

    `line` comes without its line end; one inside it (LF or CR) is a `ValueError`. Lines of several
    processes never mix. If the file does not end with a line end, it gets that first. `durable`,
    `timeout` and errors are those of `atomic_write`.
    """
    raw = line.encode() if isinstance(line, str) else bytes(line)
    if b"\n" in raw or b"\r" in raw:
        raise ValueError("a line holds no line ends; append several lines one by one")
    name = absolute(path)
    with lock(name, timeout=timeout) as held, Typed(name, "cannot add to the file"):
        fd = open_regular(name, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        try:
            _append(fd, held.fileno(), name, raw + b"\n", durable)
        finally:
            close(fd)


def read(path: str, what: str = "cannot read the file", most: int = 0) -> bytes | None:
    """Return the content of a file, or its first `most` bytes; None if there is no file."""
    try:
        fd = open_regular(path)
        try:
            content = os.read(fd, most or 65_536)
            while not most and (more := os.read(fd, max(65_536, len(content)))):
                content += more
            return content
        finally:
            close(fd)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise storage_error(path, what, error) from error


def replace(
    path: str,
    data: "bytes | bytearray | memoryview | Callable[[BinaryIO], object]",
    what: str = "cannot write the file",
    *,
    mode: int | None = None,
    durable: bool = False,
    timeout: float = 10.0,
) -> None:
    """Do what `atomic_write` does; `what` is how the message of an error begins.

    All who replace a file write to the same temporary name beside it, locked by its writer: the lock
    of one that was killed is gone, so that the next one can tell, and no orphans gather.
    """
    temporary = path + ".new"
    typed = Typed(path, what)
    with typed:
        old = _former(path)
        wanted = old.st_mode & 0o777 if old and mode is None else mode
        fd, new = _create(temporary, 0o666 if wanted is None else wanted, timeout)
    try:
        with typed:
            # Before there is anything to read in it: the content may be secret.
            _inherit(fd, new, old, wanted)
        _fill(fd, data, typed)
        with typed:
            _settle(fd, durable)
            os.replace(temporary, path)
    except BaseException:
        _discard(temporary, fd)
        raise
    finally:
        close(fd)
    if durable:
        with typed:
            sync_directory(path)


def _former(path: str) -> "os.stat_result | None":
    """Examine the file that is to be replaced; None if there is none."""
    try:
        old = os.stat(path, follow_symlinks=False)
    except FileNotFoundError:
        return None
    if S_ISREG(old.st_mode):
        return old
    from stat import S_ISLNK

    if S_ISLNK(old.st_mode):
        import errno

        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    raise NotRegular(path, old.st_mode)


def _create(path: str, mode: int, timeout: float) -> "tuple[int, os.stat_result]":
    """Create the file `path` and lock it. What has that name already is waited for, then removed."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    deadline = monotonic() + timeout
    made = False
    for _ in range(MOST_TRIES):
        try:
            fd = os.open(path, flags, mode)
        except FileExistsError:
            _clear(path, timeout, deadline)
            continue
        except FileNotFoundError:
            if made:
                raise
            made = True
            make_directory(path)
            continue
        try:
            wait(fd, path, timeout, deadline, LOCK_EX)
            if new := leads_to(path, fd):
                return fd, new
        except BaseException:
            _discard(path, fd)
            close(fd)
            raise
        close(fd)  # somebody took it for an orphan, in the moment before it was locked
    raise late(path, timeout)


def _clear(path: str, timeout: float, deadline: float) -> None:
    """Remove what a killed writer left; wait for one who still writes. Nothing is ever written into
    what was found: it could be a link, made by somebody else, to a file that is precious.
    """
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        fd = os.open(path, flags)
    except FileNotFoundError:
        return
    except OSError as error:
        import errno

        if error.errno not in {errno.ELOOP, errno.ENXIO}:
            raise storage_error(path, "cannot open what is in the way", error) from error
        os.unlink(path)  # a symbolic link or a socket: no writer of ours
        return
    try:
        wait(fd, path, timeout, deadline, LOCK_EX)
        if leads_to(path, fd):
            os.unlink(path)
    finally:
        close(fd)


def _discard(path: str, fd: int) -> None:
    """Remove a temporary file of ours after an error, which is the one to be reported."""
    try:
        if leads_to(path, fd):  # not that of the next writer
            os.unlink(path)
    except OSError:
        pass  # the next writer clears it


def _inherit(fd: int, new: os.stat_result, old: "os.stat_result | None", mode: int | None) -> None:
    """Give a new file the mode, and the owner and group of the one it will replace, if there is one."""
    if old and (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid):
        for owner in (old.st_uid, -1):  # who may not give the file away may still keep its group
            try:
                os.fchown(fd, owner, old.st_gid)
                break
            except PermissionError:
                pass
    if mode is not None and new.st_mode & 0o777 != mode:
        os.fchmod(fd, mode)


def _fill(
    fd: int,
    data: "bytes | bytearray | memoryview | Callable[[BinaryIO], object]",
    typed: Typed,
) -> None:
    if not callable(data):
        with typed:
            _write(fd, data)
        return
    import io

    class Sink(io.RawIOBase):
        """The temporary file as the caller's function sees it: it cannot be closed or replaced."""

        def writable(self) -> bool:
            return True

        def write(self, data: "Any") -> int:
            with typed:  # and not around the function, whose own errors are none of ours
                return _write(fd, data)

    with io.BufferedWriter(Sink(), 65_536) as file:
        data(file)


def _settle(fd: int, durable: bool) -> None:
    """Make sure that what was written has arrived."""
    if durable:
        os.fsync(fd)
    # Network file systems report a full disk at a close, and closing `fd` would end its lock.
    os.close(os.dup(fd))


def _write(fd: int, data: bytes | bytearray | memoryview) -> int:
    left = memoryview(data).cast("B")
    while left:  # a full disk writes what fits, and fails the next time
        left = left[os.write(fd, left) :]
    return len(data)


def _append(fd: int, lock_fd: int, path: str, line: bytes, durable: bool) -> None:
    """Write a line at the end of an open file, or leave the file as it was."""
    status = os.fstat(fd)
    size = _take_back(fd, lock_fd, status)
    begin = size
    if size and os.pread(fd, 1, size - 1) != b"\n":
        line = b"\n" + line  # after an old script's line, or one that a power failure cut off
        begin += 1
    # The kernel looks for a kill after each page that it writes: only what lies in one cannot be torn.
    in_one_page = size // _PAGE == (size + len(line) - 1) // _PAGE
    noted = not in_one_page and _note(lock_fd, b"%d %d\n" % (status.st_ino, begin))
    try:
        written = os.write(fd, line)
        if written < len(line):
            # The rest is tried once: that brings the reason why, and after it nothing is left half.
            _write(fd, line[written:])
        _settle(fd, durable)
        if durable and not size:
            sync_directory(path)
    except BaseException:
        os.ftruncate(fd, size)
        raise
    finally:
        if noted:
            _forget(lock_fd)


_PAGE = 4096  # bytes; machines with larger ones only note more often than they must


def _note(lock_fd: int, note: bytes) -> bool:
    """Note in the lock file where a line begins that a kill could tear; False where that cannot be."""
    import errno

    try:
        return os.pwrite(lock_fd, note, 0) == len(note)
    except OSError as error:
        if error.errno == errno.EBADF:  # another user's, open for reading only
            return False
        raise


def _forget(lock_fd: int) -> None:
    try:
        os.ftruncate(lock_fd, 0)
    except OSError:
        pass  # a note about a line that has its end says nothing


def _take_back(fd: int, lock_fd: int, status: os.stat_result) -> int:
    """Remove the beginning of a line whose writer was killed; return the size of the file.

    Only if it was noted for this very file, and has no end: nothing of another writer's is removed.
    """
    size = status.st_size
    if os.fstat(lock_fd).st_size:
        inode, _, begin = os.pread(lock_fd, 100, 0).strip().partition(b" ")
        ours = inode == b"%d" % status.st_ino and begin.isdigit() and int(begin) < size
        if ours and b"\n" not in os.pread(fd, size - int(begin), int(begin)):
            size = int(begin)
            os.ftruncate(fd, size)
        _forget(lock_fd)
    return size
