"""Lines in files: added whole, read, taken out. A line ends with LF, and with nothing else.

`append_line` and `read_lines` are inverses, for whatever text visitors send; `take_lines` makes a
queue. How a file is replaced belongs to `files`, waiting for others to `locks`.
"""

import os

from .files import replace, settle
from .locks import Typed, UnderLock, lock, open_directory, wait
from .process import absolute
from .regularfile import close_quietly, open_regular, write_all

_BLOCK = 65_536  # bytes that are read at once, from the end


def append_line(
    path: "str | os.PathLike[str]",
    line: str | bytes,
    *,
    durable: bool = False,
    timeout: float = 10.0,
) -> None:
    """Add a line to a file, which is made if it is missing: the whole line, or nothing.

    `line` is text (written as UTF-8) or bytes, and comes without its line end; one inside it (LF or CR)
    is a `ValueError`. Lines of several processes never mix. If the file does not end with a line end,
    it gets that first. `durable`, `timeout` and errors are those of `atomic_write`. The inverse is
    `read_lines`, not `str.splitlines`: that takes VT, FF, U+2028 and others for line ends.
    """
    if not isinstance(line, str | bytes | bytearray | memoryview):  # bytes(42) is 42 times NUL
        raise TypeError(
            f"a line is str or bytes, not {type(line).__name__}; give it as text: str(…)"
        )
    raw = line.encode() if isinstance(line, str) else bytes(line)
    if b"\n" in raw or b"\r" in raw:
        raise ValueError("a line holds no line ends; append several lines one by one")
    name = absolute(path)
    with lock(name, timeout=timeout) as held, Typed(name, "cannot add to the file"):
        fd = open_regular(name, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        directory = -1
        try:
            if durable:  # now, because after the write it is too late to say no
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
    """Return the lines of a file without their ends (list of str), or the `last` ones, the newest at
    the end; none where there is no file. A line ends with LF only.

    Of a long file no more is read than the last lines take. What is not UTF-8 becomes U+FFFD, or what
    `errors` says as for `bytes.decode`. A line that is being written, or whose writer was killed, does
    not count; only where the last line has no end, its writer is waited for, at most `timeout` seconds
    (`LockTimeout`). `StorageError` where the system refuses.
    """
    if last is not None and last < 0:
        raise ValueError(f"last={last} lines cannot be; give 0 or more")
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
    """Take all lines out of a file: it is empty after the `with` block, which gets them as a list.

        with take_lines("orders.txt") as orders:
            for order in orders:
                ...

    If the block raises, or the process is killed in it, all lines stay in the file. Those who add lines
    wait for the end of the block. `errors`, `durable` and `timeout` are those of `read_lines` and
    `append_line`.
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
    """Return the end of a file, with at least its `last` lines in it; its size, and its inode."""
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
    """Return the end of a file while nobody adds to it, without a line whose writer was killed."""
    from fcntl import LOCK_SH
    from time import monotonic

    beside = path + ".lock"
    with Typed(beside, "cannot open the lock file"):
        try:
            fd = open_regular(beside)
        except FileNotFoundError:
            return _ending(path, last)[0]  # nobody adds lines as we do: a person wrote the last one
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
    """Read `size` bytes of an open file, fewer where it has become shorter."""
    found = []
    while size and (piece := os.pread(fd, size, begin)):
        found.append(piece)
        begin += len(piece)
        size -= len(piece)
    return b"".join(found)


def _append(fd: int, lock_fd: int, directory: int, line: bytes) -> None:
    """Write a line at the end of an open file, or leave the file as it was. With the descriptor of its
    directory, not -1, wait until it is on the disk.
    """
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


_PAGE = 4096  # bytes; machines with larger ones only note more often than they must


def _note(lock_fd: int, note: bytes) -> bool:
    """Note in the lock file where a line begins that a kill could tear; False where that cannot be."""
    import errno

    try:
        if os.fstat(lock_fd).st_nlink != 1:  # somebody's own file has this name, too
            return False
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


def _noted(lock_fd: int, inode: int) -> int | None:
    """Return where the line begins that a killed writer may have left in the file of that inode."""
    if os.fstat(lock_fd).st_size:
        noted, _, begin = os.pread(lock_fd, 100, 0).strip().partition(b" ")
        if noted == b"%d" % inode and begin.isdigit():
            return int(begin)
    return None


def _take_back(fd: int, lock_fd: int, status: os.stat_result) -> int:
    """Remove the beginning of a line whose writer was killed; return the size of the file.

    Only if it was noted for this very file, and has no end: nothing of another writer's is removed.
    """
    size = status.st_size
    begin = _noted(lock_fd, status.st_ino)
    if begin is not None and begin < size and b"\n" not in _read(fd, begin, size - begin):
        size = begin
        os.ftruncate(fd, size)
    if os.fstat(lock_fd).st_size:
        _forget(lock_fd)
    return size
