"""Files that carry state: locked while they change, replaced whole, never truncated.

A counter file holds a number and a newline, so that old scripts and people can read it. Changes are
made under flock on a lock file beside it that is never deleted, and put in place by a rename: a
process that is killed at any point leaves the old value or the new one. Sessions build on this.
"""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

_LONGEST = 4_300  # digits; Python's own limit for converting them


class FileLock:
    """An exclusive lock (flock) on `path`, held for the length of a `with` block.

    Waits at most `timeout` seconds, then raises `LockTimeout`. The lock ends with the process,
    however that ends. `path` is created and must never be deleted.
    """

    def __init__(self, path: str, timeout: float = 10.0) -> None:
        self.path = path
        self.timeout = timeout
        self._fd = -1

    def __enter__(self) -> "Self":
        from time import monotonic, sleep

        deadline = monotonic() + self.timeout
        pause = 0.001
        while not self._try():
            if monotonic() >= deadline:
                from .errors import LockTimeout

                raise LockTimeout(self.path, self.timeout)
            sleep(pause)
            pause = min(pause * 2, 0.05)
        return self

    def __exit__(
        self,
        kind: "type[BaseException] | None",
        error: "BaseException | None",
        trace: "TracebackType | None",
    ) -> None:
        # Closing, not LOCK_UN: a child that was forked meanwhile would lose its own with ours.
        os.close(self._fd)
        self._fd = -1

    def _try(self) -> bool:
        import fcntl

        flags = os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            try:
                fd = os.open(self.path, flags | os.O_RDWR | os.O_CREAT, 0o666)
            except PermissionError as error:
                # Made by another user, who tried the script by hand: to lock it, reading will do.
                try:
                    fd = os.open(self.path, flags | os.O_RDONLY)
                except FileNotFoundError:
                    raise error from None
        except OSError as error:
            raise _storage(self.path, "cannot open the lock file", error) from error
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Somebody may have replaced the file while it was being opened: a lock on an inode
            # that has no name any more excludes nobody.
            held, named = os.fstat(fd), os.stat(self.path, follow_symlinks=False)
            if (held.st_dev, held.st_ino) == (named.st_dev, named.st_ino):
                self._fd = fd
                return True
        except (BlockingIOError, FileNotFoundError):
            pass
        except OSError as error:
            os.close(fd)
            raise _storage(self.path, "this file system cannot lock", error) from error
        os.close(fd)
        return False


class Counter:
    """A number in a file, safe to count up from many processes at once.

    `path`, if relative, is relative to the working directory, which servers set to the script's own.
    A file that does not exist counts as 0; its directory is made, if that is missing. One that holds
    something else than a number raises `StorageError` and is never overwritten, and so does a
    symbolic link. The file keeps its mode, and its owner where the system permits. `timeout` is how
    many seconds to wait for other processes (`LockTimeout`).
    """

    def __init__(self, path: "str | os.PathLike[str]", timeout: float = 10.0) -> None:
        self.path = os.fspath(path)
        self.timeout = timeout

    @property
    def value(self) -> int:
        """The number now (int)."""
        flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK  # a FIFO would hang here
        try:
            fd = os.open(self.path, flags)
        except FileNotFoundError:
            return 0
        except OSError as error:
            raise _storage(self.path, "cannot read the counter", error) from error
        try:
            raw = os.read(fd, _LONGEST + 10)
        except OSError as error:
            raise _storage(self.path, "cannot read the counter", error) from error
        finally:
            os.close(fd)
        text = raw.strip()
        if not text.removeprefix(b"-").isdigit() or len(text) > _LONGEST:
            from .errors import StorageError

            raise StorageError(
                self.path,
                f"holds {repr(raw[:40])[1:]}, which is not a number; "
                f"write one into it (echo 0 > {self.path})",
            )
        return int(text)

    def increment(self, by: int = 1) -> int:
        """Add `by`, which may be negative, and return the new number (int). Nothing is lost, whoever
        else counts. Anything but an int raises `TypeError`, more than 4,300 digits `ValueError`.
        """
        _check_int(by)
        with self._lock():
            number = self.value + by
            self._replace(number)
            return number

    def reset(self, to: int = 0) -> None:
        """Set the number. A file that holds something else than a number stays as it is here, too."""
        _check_int(to)
        with self._lock():
            _ = self.value
            self._replace(to)

    def _lock(self) -> FileLock:
        directory = os.path.dirname(self.path)
        if directory and not os.path.isdir(directory):
            try:
                os.mkdir(directory)
            except FileExistsError:
                pass  # another process was faster
            except OSError as error:
                raise _storage(directory, "cannot make the directory", error) from error
        return FileLock(self.path + ".lock", self.timeout)

    def _replace(self, number: int) -> None:
        data = b"%d\n" % number
        temporary = self.path + ".new"  # one name is enough under the lock, and leaves no orphans
        try:
            fd = _create(temporary)
            try:
                _inherit(fd, self.path)
                _write_all(fd, data)
            finally:
                os.close(fd)
            os.replace(temporary, self.path)
        except OSError as error:
            raise _storage(self.path, "cannot write the counter", error) from error


def _create(path: str) -> int:
    """Create a file that nobody else can have prepared; return its descriptor."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        return os.open(path, flags, 0o666)
    except FileExistsError:
        # Left by a writer that was killed; or a link somebody planted, so it must not be opened.
        os.unlink(path)
        return os.open(path, flags, 0o666)


def _inherit(fd: int, path: str) -> None:
    """Give a new file the owner, group and mode of the one it will replace, if there is one."""
    try:
        old = os.stat(path, follow_symlinks=False)
    except FileNotFoundError:
        return
    new = os.fstat(fd)
    if (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid):
        for owner in (old.st_uid, -1):  # who may not give the file away may still keep its group
            try:
                os.fchown(fd, owner, old.st_gid)
                break
            except PermissionError:
                pass
    os.fchmod(fd, old.st_mode & 0o777)


def _check_int(number: object) -> None:
    if not isinstance(number, int):
        raise TypeError(f"a counter counts in ints, not by {type(number).__name__}")


def _write_all(fd: int, data: bytes) -> None:
    while data:  # a full disk writes what fits, and fails the next time
        data = data[os.write(fd, data) :]


def _storage(path: str, what: str, error: OSError) -> Exception:
    import errno

    from .errors import StorageError

    advice = ""
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        place = os.path.dirname(os.path.abspath(path))
        advice = f"; the script runs as user {os.geteuid()}, who must be able to write in {place}"
    elif error.errno == errno.ELOOP:
        advice = "; it is a symbolic link, which is not followed: name the file itself"
    return StorageError(path, f"{what}: {error.strerror}{advice}")
