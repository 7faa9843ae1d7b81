"""Locks between processes: flock(2) on a file, held for the length of a `with` block.

flock is not part of POSIX, but every system that serves CGI has it. This module decides what locking
means: when a lock is valid, what happens after the time-out, and how an error of the system is
explained to the reader. What is done under a lock belongs to `files` and `counters`.
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
_NOTE = 64  # bytes: the longest note in a lock file
MAX_TRIES = 1_000  # how often a file may be replaced while we wait for its lock


def lock(
    path: "str | os.PathLike[str]", *, shared: bool = False, timeout: float = 10.0
) -> "FileLock":
    """Return the lock for the file `path`, to be held in a `with` block.

    It is on the file `path` + ".lock". The lock is exclusive, or with `shared` held together with
    others that share it. After `timeout` seconds it raises `LockTimeout`. It raises `StorageError` if
    the lock file cannot be made, if its file system cannot lock, or if a file of that name belongs to
    something else. The lock file gets the owner and the mode of `path`, or of its directory. All
    functions of cgikit that change a file take this lock first, except `atomic_write`.
    """
    return _LockBeside(absolute(path), timeout, shared=shared)


class FileLock:
    """A lock on the file `path` itself, held for the length of a `with` block.

    The file is created, with its directory if that is missing, and must never be deleted or replaced.
    The lock is exclusive, or `shared`. After `timeout` seconds it raises `LockTimeout`. The lock ends
    with the process, however that ends, but a forked child that outlives it keeps the lock. Threads may
    share one object.
    """

    def __init__(
        self, path: "str | os.PathLike[str]", timeout: float = 10.0, *, shared: bool = False
    ) -> None:
        self.path = absolute(path)
        self.timeout = timeout
        self.shared = shared
        self._fds: list[int] = []  # several if threads hold it at once, shared

    def __enter__(self) -> "Self":
        operation = fcntl.LOCK_SH if self.shared else fcntl.LOCK_EX
        deadline = monotonic() + self.timeout
        for _ in range(MAX_TRIES):
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
        # By closing, not by LOCK_UN, which would release the lock of a forked child too. If there are
        # several, any of them will do: the lock ends with the last one.
        close_quietly(self._fds.pop())

    def fileno(self) -> int:
        """Return the descriptor of the lock file, while the lock is held; -1 otherwise."""
        return self._fds[-1] if self._fds else -1

    def _examine(self, fd: int, held: os.stat_result) -> None:
        """Check the file that was locked."""

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
            # Another user has made it, by running the script by hand. Read access is enough to lock it.
            try:
                return open_regular(self.path)
            except FileNotFoundError:
                pass
        raise error


class _LockBeside(FileLock):
    """The lock for the file `guarded`: on a file beside it whose name ends in ".lock"."""

    def __init__(self, guarded: str, timeout: float, *, shared: bool = False) -> None:
        super().__init__(guarded + ".lock", timeout, shared=shared)
        self._guarded = guarded

    def _examine(self, fd: int, held: os.stat_result) -> None:
        """Refuse a file that belongs to something else, before anything is written into it."""
        if not held.st_size and os.geteuid():
            return
        with Typed(self.path, "cannot examine the lock file"):
            if held.st_size and not is_note(os.pread(fd, _NOTE + 1, 0)):
                from .errors import StorageError

                raise StorageError(
                    self.path,
                    "is not a lock file of cgikit: it has content; move it away, or use "
                    f"another name than {self._guarded}",
                )
            # Older versions, run as root, made lock files that the scripts' user cannot open.
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
        """Give a lock file the owner, group and mode of the file it guards, or of its directory."""
        try:
            owner = os.stat(self._guarded, follow_symlinks=False)
        except FileNotFoundError:
            owner = None
        if owner is None or not S_ISREG(owner.st_mode):
            owner = os.stat(os.path.dirname(self.path) or ".")
        mode = owner.st_mode & 0o666 | 0o600
        if owner.st_mode & S_ISVTX:
            mode &= ~0o022  # a directory for everybody; read access is enough to lock a file
        inherit(fd, lock, owner, mode)


class UnderLock:
    """A `with` block under the lock of the file `path`; used once or often, not nested.

    `_begin` runs under the lock and returns what the block gets. `_finish` runs after a block that did
    not raise, and `_close` always, before the lock is released.
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
    """Return whether a lock file is empty or holds the two numbers that `append_line` notes there.
    After a power failure it may hold zero bytes.
    """
    words = raw.removesuffix(b"\n").split(b" ")
    note = raw.endswith(b"\n") and len(words) == 2 and all(word.isdigit() for word in words)
    return len(raw) <= _NOTE and (note or not raw.strip(b"\0"))


def inherit(fd: int, new: os.stat_result, old: os.stat_result, mode: int) -> None:
    """Give an open file of our own the owner and group of `old`, and a mode. `new` is its present
    status.
    """
    if (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid):
        # A process that cannot change the owner may still be able to set the group.
        for owner in (old.st_uid, -1):
            try:
                os.fchown(fd, owner, old.st_gid)
                break
            except PermissionError:
                pass
            except OSError as error:
                import errno

                if error.errno != errno.EINVAL:  # the owner does not exist in this container
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
    """Return in words which process has locked an open file: this one, if it is among several."""
    try:
        found = os.fstat(fd)
        device = f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}:{found.st_ino}"
        # UTF-8 is always loaded. Another codec is not found by a user who cannot read Python's library.
        with open("/proc/locks", encoding="utf-8") as locks:
            lines = [line.split() for line in locks]
    except (OSError, ValueError):
        lines = []  # no Linux
    # 1: FLOCK ADVISORY WRITE 1234 fe:01:5678 0 EOF; a waiting process has "->" after the number
    holders = {line[4] for line in lines if line[1:2] == ["FLOCK"] and line[5:6] == [device]}
    if str(os.getpid()) in holders:
        return "this process itself"
    pid = min(holders, default="0")
    return "another process" if pid == "0" else f"process {pid}"  # 0: one outside of this container


def leads_to(path: str, fd: int) -> "os.stat_result | None":
    """Return the status of an open file if the name `path` still leads to it, otherwise None.

    To be called after each lock is taken: the file may have been replaced while it was being opened,
    and a lock on a file without a name excludes nobody.
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
    """Make the directory of the file `path`, one level; `StorageError` if that fails. It is fine if the
    directory exists: another process may have made it.
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
        return  # the directory is made, but the one above cannot be read, and so not be synced
    try:
        os.fsync(fd)
    except OSError as error:
        raise storage_error(
            directory, "the directory was made, but a power failure may undo it", error
        ) from error
    finally:
        close_quietly(fd)


def open_directory(path: str) -> int:
    """Open the directory of the file `path`, for the fsync that makes its name durable.

    This comes before anything is changed, because it needs read access to the directory, which a
    process that may write to it need not have.
    """
    return os.open(os.path.dirname(path) or ".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


class Typed:
    """A `with` block in which every error of the system becomes a `StorageError` about `path`.

    `what` says what could not be done. cgikit's own errors, and all others, pass through.
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
    """Return a `StorageError` about `path`: what could not be done, the system's reason, what to do."""
    reason = f"{what}: {error.strerror}{_advice(path, error.errno or 0)}"
    try:
        from .errors import StorageError
    except (ImportError, OSError):  # no descriptor is left to read that module with
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
        return f"; nothing was changed: free some space in {place}, and check its inodes (df -i)"
    if number in {errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS}:
        return f"; the file system of {place} cannot lock files: keep the file on another one"
    if number in {errno.EMFILE, errno.ENFILE}:
        return "; too many files are open: close some, or raise the limit (ulimit -n)"
    if number == errno.EIO:
        return "; the disk or the network has failed: see the system's log"
    return ""


def refusal(path: str, number: int) -> str:
    """Return why the system refuses the file `path`, and what to do; it follows the system's message
    (str).
    """
    try:
        from .obstacle import obstacle

        return f"; {obstacle(path, number)}"
    except (ImportError, OSError):  # no descriptor is left, or the file is gone by now
        return f"; the script runs as user {os.geteuid()}, who must be able to write there"


def late(path: str, timeout: float, holder: str = "another process") -> Exception:
    """Return a `LockTimeout` about `path`."""
    from .errors import LockTimeout

    return LockTimeout(path, timeout, holder)
