"""Files that hold state: replaced as a whole, whatever happens meanwhile.

A process that is killed at any point leaves the old content or the new one (rename(2) of POSIX, and
flock). What a file contains is up to the caller: numbers belong to `counters`, JSON to `jsonfile`,
lines to `lines`. Waiting for other processes belongs to `locks`.
"""

import os
from fcntl import LOCK_EX
from stat import S_ISREG
from time import monotonic

from .locks import (
    MAX_TRIES,
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
    """Replace the content of a file, or create the file: completely, or not at all.

    `data` is bytes, text (written as UTF-8), or a function that is called with a binary file to write
    to; if it raises, nothing is changed. The file gets `mode`; without one it keeps its mode, owner and
    group, and a new file gets its mode from the umask. With `durable` the content is on the disk when
    this returns (fsync). It waits at most `timeout` seconds for other processes that write to `path`
    (`LockTimeout`). If the system refuses, it raises `StorageError`, and the old content is intact. A
    symbolic link, or anything else that is not a file, is always refused.
    """
    content = data.encode() if isinstance(data, str) else data
    if not (callable(content) or isinstance(content, bytes | bytearray | memoryview)):
        raise TypeError(
            f"data must be bytes, str or a function that writes, not {type(content).__name__}; "
            "give it as text: str(…)"
        )
    replace(absolute(path), content, mode=mode, durable=durable, timeout=timeout)


def read(path: str, what: str = "cannot read the file", most: int = 0) -> bytes | None:
    """Return the content of a file (bytes), or its first `most` bytes; None if there is no file."""
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

    All processes that replace a file use the same temporary name beside it, and its writer locks it.
    The lock of a writer that was killed is gone: the next one sees that, and no orphans pile up.
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
            # Before the content is written: it may be secret.
            if old or wanted is not None:
                inherit(fd, new, old or new, new.st_mode & 0o777 if wanted is None else wanted)
            if durable:  # now: after the rename it would be too late to fail
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
    """Return the name for the next content of a file, in the same directory. The name is
    reserved: a file that is found there is treated as left by a killed writer.
    """
    directory, slash, name = path.rpartition("/")
    temporary = f".{name}{_TEMPORARY}"
    if len(os.fsencode(temporary)) > _MAX_NAME:
        from binascii import crc32

        # If two names have the same checksum, their writers wait for each other, and that is all.
        temporary = f".{crc32(os.fsencode(name)):08x}{_TEMPORARY}"
    return directory + slash + temporary


_TEMPORARY = ".cgikit-new"
_MAX_NAME = 255  # bytes, on all file systems that scripts meet


def _former(path: str) -> "os.stat_result | None":
    """Return the status of the file that is to be replaced; None if there is no file."""
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
    """Create the file `path` and lock it. A file of that name is waited for, and then removed."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    deadline = monotonic() + timeout
    made = False
    for _ in range(MAX_TRIES):
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
        close_quietly(fd)  # another process mistook it for an orphan before it was locked
    raise late(path, timeout)


def _clear(path: str, timeout: float, deadline: float) -> None:
    """Remove the file of a killed writer; wait for a writer that is alive. Nothing is written into
    a file that was found: it could be a link that somebody has made to an important file.
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
        os.unlink(path)  # a symbolic link or a socket: not made by a writer
        return
    try:
        wait(fd, path, timeout, deadline, LOCK_EX)
        if leads_to(path, fd):
            os.unlink(path)
    finally:
        close_quietly(fd)


def _discard(path: str, fd: int) -> None:
    """Remove our temporary file after an error; that error is the one to report."""
    try:
        if leads_to(path, fd):  # not the file of the next writer
            os.unlink(path)
    except OSError:
        pass  # the next writer removes it


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
        """The temporary file as the caller's function sees it: closing it has no effect."""

        def writable(self) -> bool:
            return True

        def write(self, data: "Any") -> int:
            with typed:  # not around the caller's function: its errors are its own
                return write_all(fd, data)

    with io.BufferedWriter(Sink(), 65_536) as file:
        data(file)


def settle(fd: int, durable: bool) -> None:
    """Make sure that what was written has arrived. Raises `OSError`."""
    if durable:
        os.fsync(fd)
    # Network file systems report a full disk when a file is closed; closing `fd` would release the
    # lock.
    os.close(os.dup(fd))
