"""Files that carry state: replaced whole, whatever happens meanwhile.

A process that is killed at any point leaves the old content or the new one (rename(2) of POSIX, and
flock). What is in a file is the caller's business: numbers are that of `counters`, JSON that of
`jsonfile`, lines that of `lines`. Waiting for others belongs to `locks`.
"""

import os
from fcntl import LOCK_EX
from stat import S_ISREG
from time import monotonic

from .locks import (
    MOST_TRIES,
    Typed,
    inherit,
    late,
    leads_to,
    make_directory,
    open_directory,
    storage_error,
    wait,
)
from .locks import FileLock as FileLock
from .process import absolute
from .regularfile import NotRegular, close_quietly, open_regular, write_all

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
    and a symbolic link, or anything that is not a file, is always refused.
    """
    content = data.encode() if isinstance(data, str) else data
    if not (callable(content) or isinstance(content, bytes | bytearray | memoryview)):
        raise TypeError(
            f"data is bytes, str or a function that writes, not {type(content).__name__}; "
            "give it as text: str(…)"
        )
    replace(absolute(path), content, mode=mode, durable=durable, timeout=timeout)


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
            close_quietly(fd)
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
    temporary = temporary_name(path)
    typed = Typed(path, what)
    directory = -1
    with typed:
        old = _former(path)
        wanted = old.st_mode & 0o777 if old and mode is None else mode
        fd, new = _create(temporary, 0o666 if wanted is None else wanted, timeout)
    try:
        with typed:
            # Before there is anything to read in it: the content may be secret.
            if old or wanted is not None:
                inherit(fd, new, old or new, new.st_mode & 0o777 if wanted is None else wanted)
            if durable:  # now, because after the rename it is too late to say no
                directory = open_directory(path)
        _fill(fd, data, typed)
        with typed:
            settle(fd, durable)
            os.replace(temporary, path)
        if durable:
            with Typed(path, "the new content is in place, but a power failure may undo it"):
                os.fsync(directory)
    except BaseException:
        _discard(temporary, fd)
        raise
    finally:
        if directory >= 0:
            close_quietly(directory)
        close_quietly(fd)


def temporary_name(path: str) -> str:
    """Return the name that the next content of a file is written under, in the same directory: one that
    nobody gives a file of his own, since what is found there is taken for a killed writer's.
    """
    directory, slash, name = path.rpartition("/")
    temporary = f".{name}{_TEMPORARY}"
    if len(os.fsencode(temporary)) > _LONGEST_NAME:
        from binascii import crc32

        # Two names that have the same number wait for each other, and nothing worse.
        temporary = f".{crc32(os.fsencode(name)):08x}{_TEMPORARY}"
    return directory + slash + temporary


_TEMPORARY = ".cgikit-new"
_LONGEST_NAME = 255  # bytes, on all file systems that scripts meet


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
            close_quietly(fd)
            raise
        close_quietly(fd)  # somebody took it for an orphan, in the moment before it was locked
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
        close_quietly(fd)


def _discard(path: str, fd: int) -> None:
    """Remove a temporary file of ours after an error, which is the one to be reported."""
    try:
        if leads_to(path, fd):  # not that of the next writer
            os.unlink(path)
    except OSError:
        pass  # the next writer clears it


def _fill(
    fd: int,
    data: "bytes | bytearray | memoryview | Callable[[BinaryIO], object]",
    typed: Typed,
) -> None:
    if not callable(data):
        with typed:
            write_all(fd, data)
        return
    import io

    class Sink(io.RawIOBase):
        """The temporary file as the caller's function sees it: it cannot be closed or replaced."""

        def writable(self) -> bool:
            return True

        def write(self, data: "Any") -> int:
            with typed:  # and not around the function, whose own errors are none of ours
                return write_all(fd, data)

    with io.BufferedWriter(Sink(), 65_536) as file:
        data(file)


def settle(fd: int, durable: bool) -> None:
    """Make sure that what was written has arrived."""
    if durable:
        os.fsync(fd)
    # Network file systems report a full disk at a close, and closing `fd` would end its lock.
    os.close(os.dup(fd))
