"""Lines in files: appended as a whole, read, taken out. A line ends with LF, and with nothing else.

`append_line` and `read_lines` are inverses for any text that visitors send; `take_lines` makes a file a
queue. How a file is replaced belongs to `files`, waiting for other processes to `locks`.
"""

import os

from .files import replace, settle
from .locks import Typed, UnderLock, lock, open_directory, wait
from .process import absolute
from .regularfile import close_quietly, open_regular, write_all

_BLOCK = 65_536  # bytes that are read at once, from the end of the file


def append_line(
    path: "str | os.PathLike[str]",
    line: str | bytes,
    *,
    durable: bool = False,
    timeout: float = 10.0,
) -> None:
    """Append a line to a file, which is made if it is missing: the whole line, or nothing.

    `line` is text (written as UTF-8) or bytes, without a line end; a line end inside it (LF or CR) is a
    `ValueError`. Lines of several processes never mix. If the file does not end with a line end, one is
    added first. `durable`, `timeout` and the errors are those of `atomic_write`. The inverse is
    `read_lines`, not `str.splitlines`, which also splits at VT, FF, U+2028 and others.
    """
    if not isinstance(line, str | bytes | bytearray | memoryview):  # bytes(42) is 42 times NUL
        raise TypeError(
            f"a line must be str or bytes, not {type(line).__name__}; give it as text: str(…)"
        )
    raw = line.encode() if isinstance(line, str) else bytes(line)
    if b"\n" in raw or b"\r" in raw:
        raise ValueError("a line cannot contain line ends; append several lines one by one")
    name = absolute(path)
    with lock(name, timeout=timeout) as held, Typed(name, "cannot add to the file"):
        fd = open_regular(name, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        directory = -1
        try:
            if durable:  # now: after the write it would be too late to fail
                directory = open_directory(name)
            _append(fd, held.fileno(), directory, raw + b"\n")
        finally:
            if directory >= 0:
                close_quietly(directory)
            close_quietly(fd)


def read_lines(
    path: "str | os.PathLike[str]",
    *,
    last: int | None = None,
    errors: str = "replace",
    timeout: float = 10.0,
) -> list[str]:
    """Return the lines of a file without their ends (list of str), or only the `last` ones, the newest
    at the end; an empty list if there is no file. A line ends with LF only.

    For the last lines, no more of a long file is read than they need. Bytes that are not UTF-8 become
    U+FFFD, or what `errors` says, as in `bytes.decode`. A line that is being written, or whose writer
    was killed, is left out. Only if the last line has no end does this wait for its writer, at most
    `timeout` seconds (`LockTimeout`). It raises `StorageError` if the system refuses.
    """
    if last is not None and last < 0:
        raise ValueError(f"last={last} is not a valid number of lines; give 0 or more")
    name = absolute(path)
    with Typed(name, "cannot read the file"):
        raw, _, _ = _ending(name, last)
        if raw and not raw.endswith(b"\n"):
            raw = _settled_ending(name, last, timeout)
    return _split(raw, errors)[-last if last else None :] if last != 0 else []


def take_lines(
    path: "str | os.PathLike[str]",
    *,
    errors: str = "replace",
    durable: bool = False,
    timeout: float = 10.0,
) -> "TakenLines":
    """Take all lines out of a file: the `with` block gets them as a list, and then the file is empty.

        with take_lines("orders.txt") as orders:
            for order in orders:
                ...

    If the block raises, or the process is killed in it, all lines stay in the file. Processes that
    append lines wait for the end of the block. `errors`, `durable` and `timeout` are those of
    `read_lines` and `append_line`.
    """
    return TakenLines(absolute(path), errors, durable, timeout)


class TakenLines(UnderLock):
    """The context manager that `take_lines` returns."""

    def __init__(self, path: str, errors: str, durable: bool, timeout: float) -> None:
        super().__init__(path, timeout)
        self._errors = errors
        self._durable = durable
        self._fd = -1
        self._size = 0

    def _begin(self) -> list[str]:
        self._size = 0
        with Typed(self.path, "cannot take the lines out of the file"):
            try:
                self._fd = open_regular(self.path, os.O_RDWR)
            except FileNotFoundError:
                return []
            size = _take_back(self._fd, self._lock.fileno(), os.fstat(self._fd))
            raw = _read(self._fd, 0, size)
        self._size = len(raw)
        return _split(raw, self._errors)

    def _finish(self) -> None:
        if not self._size:
            return
        with Typed(self.path, "cannot empty the file"):
            rest = os.fstat(self._fd).st_size - self._size
            if rest > 0:  # a program that takes no lock has added to it meanwhile
                data = _read(self._fd, self._size, rest)
                replace(self.path, data, durable=self._durable, timeout=self._timeout)
                return
            os.ftruncate(self._fd, 0)
            settle(self._fd, self._durable)

    def _close(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            close_quietly(fd)


def _split(raw: bytes, errors: str) -> list[str]:
    lines = raw.split(b"\n")
    if not lines[-1]:
        lines.pop()
    return [line.decode("utf-8", errors) for line in lines]


def _ending(path: str, last: int | None) -> tuple[bytes, int, int]:
    """Return the end of a file with at least its `last` lines, its size, and its inode."""
    try:
        fd = open_regular(path)
    except FileNotFoundError:
        return b"", 0, 0
    try:
        status = os.fstat(fd)
        begin = status.st_size
        if last is None:
            return _read(fd, 0, begin), begin, status.st_ino
        found: list[bytes] = []
        ends = 0
        while begin and ends <= last:
            size = min(_BLOCK, begin)
            begin -= size
            found.append(_read(fd, begin, size))
            ends += found[-1].count(b"\n")
        return b"".join(found[::-1]), status.st_size, status.st_ino
    finally:
        close_quietly(fd)


def _settled_ending(path: str, last: int | None, timeout: float) -> bytes:
    """Return the end of a file while nobody appends to it, without a line whose writer was killed."""
    from fcntl import LOCK_SH
    from time import monotonic

    beside = path + ".lock"
    with Typed(beside, "cannot open the lock file"):
        try:
            fd = open_regular(beside)
        except FileNotFoundError:
            # `append_line` was never used: a person wrote the last line.
            return _ending(path, last)[0]
        except PermissionError:
            raw = _ending(path, last)[0]
            return raw[: raw.rfind(b"\n") + 1]
    try:
        wait(fd, beside, timeout, monotonic() + timeout, LOCK_SH)
        raw, size, inode = _ending(path, last)
        torn = _noted(fd, inode)
        if torn is not None and torn < size and b"\n" not in raw[torn - size :]:
            raw = raw[: torn - size]
        return raw
    finally:
        close_quietly(fd)


def _read(fd: int, begin: int, size: int) -> bytes:
    """Read `size` bytes of an open file, or fewer if it has become shorter."""
    found = []
    while size and (piece := os.pread(fd, size, begin)):
        found.append(piece)
        begin += len(piece)
        size -= len(piece)
    return b"".join(found)


def _append(fd: int, lock_fd: int, directory: int, line: bytes) -> None:
    """Write a line at the end of an open file, or leave the file as it was. If `directory` is the
    descriptor of its directory, and not -1, wait until the line is on the disk.
    """
    status = os.fstat(fd)
    size = _take_back(fd, lock_fd, status)
    begin = size
    if size and os.pread(fd, 1, size - 1) != b"\n":
        line = b"\n" + line  # an old script or a power failure has left a line without its end
        begin += 1
    # The kernel checks for a kill after each page that it writes: only a line within one page is safe.
    in_one_page = size // _PAGE == (size + len(line) - 1) // _PAGE
    noted = not in_one_page and _note(lock_fd, b"%d %d\n" % (status.st_ino, begin))
    try:
        written = os.write(fd, line)
        if written < len(line):
            # Writing the rest raises the error that says why; the half line is then removed.
            write_all(fd, line[written:])
        settle(fd, directory >= 0)
        if directory >= 0 and not size:
            os.fsync(directory)
    except BaseException:
        os.ftruncate(fd, size)
        raise
    finally:
        if noted:
            _forget(lock_fd)


_PAGE = 4096  # bytes; on machines with larger pages, notes are made more often than needed


def _note(lock_fd: int, note: bytes) -> bool:
    """Note in the lock file where a line begins that a kill could tear; False if that fails."""
    import errno

    try:
        # With another name it may be another program's file.
        if os.fstat(lock_fd).st_nlink != 1:
            return False
        return os.pwrite(lock_fd, note, 0) == len(note)
    except OSError as error:
        if error.errno == errno.EBADF:  # another user's file, opened for reading only
            return False
        raise


def _forget(lock_fd: int) -> None:
    try:
        os.ftruncate(lock_fd, 0)
    except OSError:
        pass  # a note about a complete line does no harm


def _noted(lock_fd: int, inode: int) -> int | None:
    """Return where the line begins that a killed writer may have left in the file with that inode."""
    if os.fstat(lock_fd).st_size:
        noted, _, begin = os.pread(lock_fd, 100, 0).strip().partition(b" ")
        if noted == b"%d" % inode and begin.isdigit():
            return int(begin)
    return None


def _take_back(fd: int, lock_fd: int, status: os.stat_result) -> int:
    """Remove the beginning of a line whose writer was killed; return the size of the file.

    It is removed only if it was noted for this file, and has no end: no other writer's line is lost.
    """
    size = status.st_size
    begin = _noted(lock_fd, status.st_ino)
    if begin is not None and begin < size and b"\n" not in _read(fd, begin, size - begin):
        size = begin
        os.ftruncate(fd, size)
    if os.fstat(lock_fd).st_size:
        _forget(lock_fd)
    return size
