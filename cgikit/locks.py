"""Locks between processes: flock(2) on a file, held for the length of a `with` block.

flock is no part of POSIX, but of every system that serves CGI. What locking means is decided here:
how long to wait, when a lock counts, what an operating system's refusal tells the reader. What is
done under a lock belongs to `files` and `counters`.
"""

import fcntl
import os
from stat import S_ISREG, S_ISVTX
from time import monotonic

from .process import absolute
from .regularfile import close_quietly, open_regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, Self

_MAKE = os.O_RDWR | os.O_CREAT
_NOTE = 64  # bytes; a note in a lock file is shorter
MOST_TRIES = 1_000  # times in a row that the file was replaced while we waited for it


def lock(
    path: "str | os.PathLike[str]", *, shared: bool = False, timeout: float = 10.0
) -> "FileLock":
    """Return a lock for all who work on `path`, to be held with `with`: on the file `path` + ".lock".

    Exclusive, or with `shared` together with others who share. Waits at most `timeout` seconds, then
    raises `LockTimeout`; `StorageError` where the file cannot be made, its file system cannot lock, or
    what has that name is somebody's own. The lock file gets the owner and the mode of `path`, or of its
    directory. All functions of cgikit that change a file take this lock first, except `atomic_write`.
    """
    return _LockBeside(absolute(path), timeout, shared=shared)


class FileLock:
    """A lock on the file `path` itself, held for the length of a `with` block.

    The file is created, with its directory if that is missing, and must never be deleted or replaced.
    Exclusive, or `shared`. Waits at most `timeout` seconds, then raises `LockTimeout`. The lock ends
    with the process, however that ends; but a forked child that lives on keeps it. Threads may share
    one object.
    """

    def __init__(
        self, path: "str | os.PathLike[str]", timeout: float = 10.0, *, shared: bool = False
    ) -> None:
        self.path = absolute(path)
        self.timeout = timeout
        self.shared = shared
        self._fds: list[int] = []  # several, where threads share one that is shared

    def __enter__(self) -> "Self":
        operation = fcntl.LOCK_SH if self.shared else fcntl.LOCK_EX
        deadline = monotonic() + self.timeout
        for _ in range(MOST_TRIES):
            fd = self._open()
            try:
                wait(fd, self.path, self.timeout, deadline, operation)
                if held := leads_to(self.path, fd):
                    self._examine(fd, held)
                    self._fds.append(fd)
                    return self
            except BaseException:
                close_quietly(fd)
                raise
            close_quietly(fd)
        raise late(self.path, self.timeout)

    def __exit__(
        self,
        kind: "type[BaseException] | None",
        error: "BaseException | None",
        trace: "TracebackType | None",
    ) -> None:
        # Closing, not LOCK_UN: a child that was forked meanwhile would lose its own with ours.
        # Whichever it is of several: all hold the same lock, and it ends with the last of them.
        close_quietly(self._fds.pop())

    def fileno(self) -> int:
        """Return the descriptor of the lock file, while the lock is held; -1 otherwise."""
        return self._fds[-1] if self._fds else -1

    def _examine(self, fd: int, held: os.stat_result) -> None:
        """Look at the file that was locked."""

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


class _LockBeside(FileLock):
    """The lock of all who work on the file `guarded`: on the file beside it that ends in ".lock"."""

    def __init__(self, guarded: str, timeout: float, *, shared: bool = False) -> None:
        super().__init__(guarded + ".lock", timeout, shared=shared)
        self._guarded = guarded

    def _examine(self, fd: int, held: os.stat_result) -> None:
        """Refuse a file that is somebody's own, before anything is written into it."""
        if not held.st_size and os.geteuid():
            return
        with Typed(self.path, "cannot examine the lock file"):
            if held.st_size and not is_note(os.pread(fd, _NOTE + 1, 0)):
                from .errors import StorageError

                raise StorageError(
                    self.path,
                    "is not a lock file of cgikit's: there is something in it; move it away, or name "
                    f"another file than {self._guarded}",
                )
            # One that root has made by an older version locks out the user that scripts run as.
            if os.geteuid() == 0 and not held.st_size and held.st_nlink == 1:
                self._give(fd, held)

    def _open(self) -> int:
        try:
            return open_regular(self.path, os.O_RDWR)
        except FileNotFoundError:
            pass
        except OSError:
            return super()._open()
        with Typed(self.path, "cannot make the lock file"):
            try:
                try:
                    fd = open_regular(self.path, _MAKE | os.O_EXCL)
                except FileNotFoundError:
                    make_directory(self.path)
                    fd = open_regular(self.path, _MAKE | os.O_EXCL)
            except FileExistsError:
                return super()._open()  # another process was faster
            try:
                self._give(fd, os.fstat(fd))
            except BaseException:
                close_quietly(fd)
                raise
            return fd

    def _give(self, fd: int, lock: os.stat_result) -> None:
        """Give a lock file the owner, group and mode of what it guards, or else of its directory."""
        try:
            owner = os.stat(self._guarded, follow_symlinks=False)
        except FileNotFoundError:
            owner = None
        if owner is None or not S_ISREG(owner.st_mode):
            owner = os.stat(os.path.dirname(self.path) or ".")
        mode = owner.st_mode & 0o666 | 0o600
        if owner.st_mode & S_ISVTX:
            mode &= ~0o022  # in a directory for everybody; to lock a file, reading it will do
        inherit(fd, lock, owner, mode)


class UnderLock:
    """A `with` block under the lock of the file `path`; used once or often, not nested.

    `_begin` runs under the lock and returns what the block gets; `_finish` runs after a block that did
    not raise, and `_close` in any case, before the lock is released.
    """

    def __init__(self, path: str, timeout: float) -> None:
        self.path = path
        self._timeout = timeout
        self._lock = _LockBeside(path, timeout)

    def __enter__(self) -> "Any":
        self._lock.__enter__()
        try:
            return self._begin()
        except BaseException:
            self._release()
            raise

    def __exit__(
        self,
        kind: "type[BaseException] | None",
        error: "BaseException | None",
        trace: "TracebackType | None",
    ) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            self._release()

    def _release(self) -> None:
        try:
            self._close()
        finally:
            self._lock.__exit__(None, None, None)

    def _begin(self) -> object:
        raise NotImplementedError

    def _finish(self) -> None:
        raise NotImplementedError

    def _close(self) -> None:
        """Nothing is open."""


def is_note(raw: bytes) -> bool:
    """Tell whether the content of a lock file is nothing, or the note that `append_line` makes there:
    two numbers. After a power failure it may be zeros.
    """
    words = raw.removesuffix(b"\n").split(b" ")
    note = raw.endswith(b"\n") and len(words) == 2 and all(word.isdigit() for word in words)
    return len(raw) <= _NOTE and (note or not raw.strip(b"\0"))


def inherit(fd: int, new: os.stat_result, old: os.stat_result, mode: int) -> None:
    """Give an open file of ours, as `new` says it is, the owner and group of `old`, and a mode."""
    if (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid):
        for owner in (old.st_uid, -1):  # who may not give the file away may still keep its group
            try:
                os.fchown(fd, owner, old.st_gid)
                break
            except PermissionError:
                pass
            except OSError as error:
                import errno

                if error.errno != errno.EINVAL:  # an owner that is unknown in this container
                    raise
    if new.st_mode & 0o777 != mode:
        os.fchmod(fd, mode)


def wait(fd: int, path: str, timeout: float, deadline: float, operation: int) -> None:
    """Lock an open file by `operation` (LOCK_EX, LOCK_SH); raise as `lock` does.

    `deadline` is a time of the monotonic clock; `path` and `timeout` are for the message.
    """
    try:
        if try_lock(fd, operation):
            return
        from .waiting import wait_for

        if wait_for(lambda: try_lock(fd, operation) or None, deadline):
            return
    except OSError as error:
        raise storage_error(path, "cannot lock the file", error) from error
    raise late(path, timeout, _holder(fd))


def try_lock(fd: int, operation: int = fcntl.LOCK_EX) -> bool:
    """Lock an open file without waiting; False while somebody else holds it. Raises `OSError`."""
    try:
        fcntl.flock(fd, operation | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(fd: int) -> str:
    """Return in words who holds the lock on an open file: this process, if it is among several."""
    try:
        found = os.fstat(fd)
        device = f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}:{found.st_ino}"
        with open("/proc/locks", encoding="ascii") as locks:
            lines = [line.split() for line in locks]
    except (OSError, ValueError):
        lines = []  # no Linux
    # 1: FLOCK ADVISORY WRITE 1234 fe:01:5678 0 EOF; those who wait have "->" after the number
    holders = {line[4] for line in lines if line[1:2] == ["FLOCK"] and line[5:6] == [device]}
    if str(os.getpid()) in holders:
        return "this process itself"
    pid = min(holders, default="0")
    return "another process" if pid == "0" else f"process {pid}"  # 0: outside of this container


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


def make_directory(path: str) -> None:
    """Make the directory that the file `path` is to lie in, one level; `StorageError` if it cannot
    be. One that is there already, made by another process meanwhile, is welcome.
    """
    directory = os.path.dirname(path)
    try:
        os.mkdir(directory)
    except FileExistsError:
        return
    except OSError as error:
        raise storage_error(directory or ".", "cannot make the directory", error) from error
    try:
        fd = open_directory(directory)
    except OSError:
        return  # it is made all the same; who may not read the one above cannot wait for its disk
    try:
        os.fsync(fd)
    except OSError as error:
        raise storage_error(directory, "the directory is made, but not safe", error) from error
    finally:
        close_quietly(fd)


def open_directory(path: str) -> int:
    """Open the directory that the file `path` lies in, for the fsync that makes its name durable.

    To be done before anything is changed: it needs the right to read the directory, which who may
    write in it need not have.
    """
    return os.open(os.path.dirname(path) or ".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


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
        return refusal(path, number)
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


def refusal(path: str, number: int) -> str:
    """Return what stands in the way of the file `path`, to follow the system's own words (str)."""
    try:
        from .obstacle import obstacle

        return f"; {obstacle(path, number)}"
    except (ImportError, OSError):  # no descriptor is left; or what was there is there no more
        return f"; the script runs as user {os.geteuid()}, who must be able to write there"


def late(path: str, timeout: float, holder: str = "another process") -> Exception:
    """Make a `LockTimeout` about `path`."""
    from .errors import LockTimeout

    return LockTimeout(path, timeout, holder)
