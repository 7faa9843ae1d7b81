"""Locks between processes: flock(2) on a file, held for the length of a `with` block.

flock is no part of POSIX, but of every system that serves CGI. What locking means is decided here:
how long to wait, when a lock counts, what an operating system's refusal tells the reader. What is
done under a lock belongs to `files` and `counters`.
"""

import fcntl
import os
from time import monotonic, sleep

from .process import absolute
from .regularfile import open_regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

_MAKE = os.O_RDWR | os.O_CREAT
MOST_TRIES = 1_000  # times in a row that the file was replaced while we waited for it


def lock(
    path: "str | os.PathLike[str]", *, shared: bool = False, timeout: float = 10.0
) -> "FileLock":
    """Return a lock for all who work on `path`, to be held with `with`: on the file `path` + ".lock".

    Exclusive, or with `shared` together with others who share. Waits at most `timeout` seconds, then
    raises `LockTimeout`; `StorageError` where the file cannot be made, or its file system cannot
    lock. All functions of cgikit that change a file take this lock first, except `atomic_write`.
    """
    return FileLock(absolute(path) + ".lock", timeout, shared=shared)


class FileLock:
    """A lock on the file `path` itself, held for the length of a `with` block.

    The file is created, with its directory if that is missing, and must never be deleted or replaced.
    Exclusive, or `shared`. Waits at most `timeout` seconds, then raises `LockTimeout`. The lock ends
    with the process, however that ends; but a forked child that lives on keeps it.
    """

    def __init__(
        self, path: "str | os.PathLike[str]", timeout: float = 10.0, *, shared: bool = False
    ) -> None:
        self.path = absolute(path)
        self.timeout = timeout
        self.shared = shared
        self._fd = -1

    def __enter__(self) -> "Self":
        operation = fcntl.LOCK_SH if self.shared else fcntl.LOCK_EX
        deadline = monotonic() + self.timeout
        for _ in range(MOST_TRIES):
            fd = self._open()
            try:
                wait(fd, self.path, self.timeout, deadline, operation)
                if leads_to(self.path, fd):
                    self._fd = fd
                    return self
            except BaseException:
                close(fd)
                raise
            close(fd)
        raise late(self.path, self.timeout)

    def __exit__(
        self,
        kind: "type[BaseException] | None",
        error: "BaseException | None",
        trace: "TracebackType | None",
    ) -> None:
        # Closing, not LOCK_UN: a child that was forked meanwhile would lose its own with ours.
        fd, self._fd = self._fd, -1
        close(fd)

    def fileno(self) -> int:
        """Return the descriptor of the lock file, while the lock is held; -1 otherwise."""
        return self._fd

    def _open(self) -> int:
        try:
            return open_regular(self.path, _MAKE)
        except OSError as error:
            with Typed(self.path, "cannot open the lock file"):
                return self._open_otherwise(error)

    def _open_otherwise(self, error: OSError) -> int:
        if isinstance(error, FileNotFoundError):
            make_directory(self.path)
            return open_regular(self.path, _MAKE)
        if isinstance(error, PermissionError):
            # Made by another user, who tried the script by hand: to lock it, reading will do.
            try:
                return open_regular(self.path)
            except FileNotFoundError:
                pass
        raise error


def wait(fd: int, path: str, timeout: float, deadline: float, operation: int) -> None:
    """Lock an open file by `operation` (LOCK_EX, LOCK_SH); raise as `lock` does.

    `deadline` is a time of the monotonic clock; `path` and `timeout` are for the message.
    """
    pause = 0.0002
    while True:
        try:
            fcntl.flock(fd, operation | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            pass
        except OSError as error:
            raise storage_error(path, "cannot lock the file", error) from error
        left = deadline - monotonic()
        if left <= 0:
            raise late(path, timeout)
        # Asked again and again, because nothing but a signal would end a flock that waits.
        sleep(min(pause, left))
        pause = min(pause * 2, 0.05)


def leads_to(path: str, fd: int) -> "os.stat_result | None":
    """Return what fstat says of an open file if the name `path` still leads to it, otherwise None.

    Asked after every locking: somebody may have replaced the file while it was being opened, and a
    lock on a file that has no name any more excludes nobody.
    """
    try:
        held = os.fstat(fd)
        named = os.stat(path, follow_symlinks=False)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise storage_error(path, "cannot examine the file", error) from error
    same = (held.st_dev, held.st_ino) == (named.st_dev, named.st_ino)
    return held if same else None


def close(fd: int) -> None:
    """Close a descriptor through which nothing was written that could still get lost."""
    try:
        os.close(fd)
    except OSError:
        pass  # the system has closed it in any case, and there is nothing left to be done about it


def make_directory(path: str) -> None:
    """Make the directory that the file `path` is to lie in, one level; `StorageError` if it cannot
    be. One that is there already, made by another process meanwhile, is welcome.
    """
    directory = os.path.dirname(path)
    try:
        os.mkdir(directory)
        sync_directory(directory)
    except FileExistsError:
        pass
    except OSError as error:
        raise storage_error(directory or ".", "cannot make the directory", error) from error


def sync_directory(path: str) -> None:
    """Wait until the entry `path` of its directory is on the disk (fsync of that directory)."""
    fd = os.open(os.path.dirname(path) or ".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        close(fd)


class Typed:
    """A `with` block in which every error of the system becomes a `StorageError` about `path`.

    `what` is what cannot be done then. Errors of our own tree, and all others, pass through.
    """

    def __init__(self, path: str, what: str) -> None:
        self.path = path
        self.what = what

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: "type[BaseException] | None",
        error: "BaseException | None",
        trace: "TracebackType | None",
    ) -> None:
        if isinstance(error, OSError) and not hasattr(error, "status"):
            raise storage_error(self.path, self.what, error) from error


def storage_error(path: str, what: str, error: OSError) -> Exception:
    """Make a `StorageError` about `path`: what could not be done, the system's reason, what to do."""
    reason = f"{what}: {error.strerror}{_advice(path, error.errno or 0)}"
    try:
        from .errors import StorageError
    except (ImportError, OSError):  # no descriptor is left through which to read that module
        return OSError(error.errno, reason, path)
    return StorageError(path, reason)


def _advice(path: str, number: int) -> str:
    import errno

    try:
        place = os.path.dirname(os.path.abspath(path))
    except OSError:  # the working directory was removed
        place = "the working directory"
    if number in {errno.EACCES, errno.EPERM}:
        return f"; the script runs as user {os.geteuid()}, who must be able to write in {place}"
    if number == errno.EROFS:
        return f"; {place} is mounted read-only"
    if number == errno.ELOOP:
        return "; it is a symbolic link, which is not followed: name the file itself"
    if number in {errno.ENOSPC, errno.EDQUOT}:
        return f"; nothing was changed: make room in {place}, inodes (df -i) included"
    if number in {errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS}:
        return f"; this file system cannot lock: keep the file on another one than that of {place}"
    if number in {errno.EMFILE, errno.ENFILE}:
        return "; too many files are open: close some, or raise the limit (ulimit -n)"
    if number == errno.EIO:
        return "; the disk or the network fails: look into the system's log"
    return ""


def late(path: str, timeout: float) -> Exception:
    """Make a `LockTimeout` about `path`."""
    from .errors import LockTimeout

    return LockTimeout(path, timeout)
