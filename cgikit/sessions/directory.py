"""The directory of a file store: how it is made, opened and checked. Internal to `file.py`.

The session with the key `abcd…` is the file `DIRECTORY/ab/abcd…`: the directory has 256 shards, so
none of them gets too large. Everything is opened relative to a descriptor, and no symbolic link inside
the directory is followed. `sessionfile.py` decides what a file holds, `file.py` which sessions are
deleted.
"""

import os
from _thread import get_ident

from ..regularfile import close_quietly, open_regular
from .store import check_key, is_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType
    from typing import Self

    from ..errors import StorageError

    Holder = tuple[int, str]  # a thread, and the key of the session that it has locked

_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
STAMP = "purged"  # an empty file: its time stamp says when a purge ran


class SessionDirectory:
    """The directory `path` of a file store, which is made when the first session is saved (mode 0700).

    Every error of the system becomes a `StorageError`, with one exception: what is missing raises
    `FileNotFoundError`. A directory or file of another user is refused, and so is a directory that
    others can write to. `clock` returns seconds since the epoch.
    """

    def __init__(self, path: str, clock: "Callable[[], float]") -> None:
        self.path = path
        self._clock = clock
        self._kept: dict[Holder, Shard] = {}

    # --- opening ------------------------------------------------------------------------------

    def shard(self, key: str, *, create: bool = False) -> "Shard":
        """Open the shard of a key, or take the one that this thread keeps open with its lock."""
        check_key(key)
        kept = self._kept.get((get_ident(), key))
        if kept is not None and kept.is_current():
            return kept.borrowed()
        return self.open_shard(key[:2], create=create)

    def keep(self, key: str, shard: "Shard") -> "Holder":
        """Keep a shard open for this thread, which has locked a session in it, until `let_go`."""
        holder = get_ident(), key
        self._kept[holder] = shard
        return holder

    def let_go(self, holder: "Holder") -> None:
        """Close the shard that `keep` has kept open."""
        self._kept.pop(holder).close()

    def open_shard(self, name: str, *, create: bool = False) -> "Shard":
        """Open the shard of that name, two hexadecimal digits."""
        base = self.open_base(create=create)
        try:
            while True:
                try:
                    fd = os.open(name, _FLAGS, dir_fd=base)
                    break
                except FileNotFoundError:
                    if not create:
                        raise
                    self._make_shard(name, base)
                except OSError as error:
                    raise self.error("cannot open the directory", error, name) from error
        finally:
            close_quietly(base)
        found = self.examine(fd, name)
        # Whoever can rename a session's file can take the session over: its name is the key.
        if found.st_uid != os.geteuid() or found.st_mode & 0o022:
            close_quietly(fd)
            raise self.foreign(os.path.join(self.path, name), found, "directory")
        return Shard(self, name, fd, (found.st_dev, found.st_ino))

    def open_base(self, *, create: bool = False) -> int:
        """Open the directory itself; return its descriptor (int)."""
        made = False
        while True:
            try:
                fd = os.open(self.path, _FLAGS)
                break
            except FileNotFoundError:
                if not create:
                    raise
                self._make()
                made = True
            except OSError as error:
                raise self.error("cannot open the directory", error) from error
        found = self.examine(fd)
        if found.st_uid != os.geteuid() or found.st_mode & 0o022:
            close_quietly(fd)
            raise self.foreign(self.path, found, "directory")
        if made:
            try:
                self._set_stamp(fd)
            except OSError as error:
                close_quietly(fd)
                raise self.error("cannot write in the directory", error, STAMP) from error
        return fd

    def shards(self) -> list[str]:
        """Return the names of all shards (list of str, sorted); [] if there is no directory."""
        try:
            base = self.open_base()
        except FileNotFoundError:
            return []
        try:
            return sorted(name for name in os.listdir(base) if _is_shard(name))
        finally:
            close_quietly(base)

    def _make(self) -> None:
        try:
            parent = os.path.dirname(self.path)
            if parent and not os.path.isdir(parent):
                try:
                    os.mkdir(parent)
                except FileExistsError:
                    pass  # another process was faster
            os.mkdir(self.path, 0o700)
        except FileExistsError:
            pass  # another process was faster
        except OSError as error:
            raise self.error("cannot make the directory", error) from error

    def _make_shard(self, name: str, base: int) -> None:
        try:
            os.mkdir(name, 0o700, dir_fd=base)
            self._set_first_stamp(base)
        except FileExistsError:
            pass  # another process was faster
        except OSError as error:
            raise self.error("cannot make a directory", error, name) from error

    def examine(self, fd: int, *name: str) -> os.stat_result:
        """Return what fstat says of a descriptor; close it if that fails."""
        try:
            return os.fstat(fd)
        except OSError as error:
            close_quietly(fd)
            raise self.error("cannot examine what is there", error, *name) from error

    # --- the time stamp of the last purge -----------------------------------------------------

    def purge_stamp(self, renew: bool = False) -> float:
        """Return, or set, the time stamp of the last purge: `Store.purge_stamp`."""
        with self.attempt("cannot note the purge", STAMP):
            base = self.open_base()
            try:
                if renew:
                    self._set_stamp(base)
                return os.stat(STAMP, dir_fd=base, follow_symlinks=False).st_mtime_ns / 1e9
            finally:
                close_quietly(base)
        return 0.0

    def _set_first_stamp(self, base: int) -> None:
        """Note when a store began whose directory was made by hand."""
        try:
            os.stat(STAMP, dir_fd=base, follow_symlinks=False)
        except FileNotFoundError:
            self._set_stamp(base)

    def _set_stamp(self, base: int) -> None:
        fd = open_regular(STAMP, os.O_WRONLY | os.O_CREAT, 0o600, dir_fd=base)
        now = int(self._clock() * 1e9)
        try:
            os.utime(fd, ns=(now, now))
        finally:
            os.close(fd)

    # --- errors -------------------------------------------------------------------------------

    def file_path(self, key: str) -> str:
        """Return the path of a session's file (str)."""
        return os.path.join(self.path, key[:2], key)

    def attempt(self, what: str, name: str, *, must_exist: bool = False) -> "_Attempt":
        """Return a `with` block that turns the errors of the system into a `StorageError`: `what` could
        not be done to the file `name`. A file that is missing ends the block, unless it `must_exist`.
        """
        return _Attempt(self, what, name, must_exist)

    def error(self, what: str, error: OSError, name: str = "") -> "StorageError":
        """Return the error for a file or shard: what could not be done, the system's reason, what to
        do.
        """
        import errno

        from ..errors import StorageError

        path = self.file_path(name) if is_key(name) else os.path.join(self.path, name)
        advice = ""
        if error.errno == errno.EROFS:
            advice = "; its file system is mounted read-only"
        elif error.errno in {errno.EACCES, errno.EPERM}:
            advice = f"; {self._obstacle(path.rstrip('/'), error.errno)}"
        elif error.errno == errno.ENOTDIR:
            advice = (
                "; symbolic links are not followed: name the directory itself, or see what is there"
            )
        elif error.errno == errno.ELOOP:
            advice = "; symbolic links are not followed: see who put it there, and remove it"
        elif error.errno in {errno.ENOLCK, errno.EOPNOTSUPP}:
            advice = "; this file system cannot lock: keep the sessions on another one"
        elif error.errno == errno.EEXIST:
            advice = "; there is a session under this key already"
        return StorageError(path, f"{what}: {error.strerror}{advice}")

    def foreign(self, path: str, found: os.stat_result, kind: str) -> "StorageError":
        """Return the error for a directory or file (`kind`) that another user owns or can write to."""
        from ..errors import StorageError
        from .owner import shared, stranger

        is_store = self._looks_like_one()
        if found.st_uid != os.geteuid():
            advice = stranger(kind, found.st_uid, [self.path], is_store=is_store)
        else:
            advice = shared(path, is_store=is_store)
        return StorageError(path, advice)

    def _obstacle(self, path: str, number: int) -> str:
        """Return why the system refuses a file or directory, and what to do: mostly its owner."""
        try:
            owner = os.stat(self.path, follow_symlinks=False).st_uid
        except OSError:
            owner = os.geteuid()
        if owner == os.geteuid():
            from ..locks import refusal

            return refusal(path, number).removeprefix("; ")
        from .owner import stranger

        return stranger("directory", owner, [self.path], is_store=self._looks_like_one())

    def _looks_like_one(self) -> bool | None:
        """Return whether the directory is empty or holds what we make; None if it cannot be read."""
        try:
            names = os.listdir(self.path)
        except OSError:
            return None
        return not names or any(name == STAMP or _is_shard(name) for name in names)


class Shard:
    """An open shard, closed at the end of a `with` block. `fd` is its descriptor."""

    def __init__(
        self,
        directory: SessionDirectory,
        name: str,
        fd: int,
        file: tuple[int, int],
        is_borrowed: bool = False,
    ) -> None:
        self.fd = fd
        self._directory = directory
        self._name = name
        self._file = file  # device and inode
        self._is_borrowed = is_borrowed

    def __enter__(self) -> "Self":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close it, unless it is borrowed."""
        if not self._is_borrowed:
            close_quietly(self.fd)

    def borrowed(self) -> "Shard":
        """Return the same shard, to be used without being closed."""
        return Shard(self._directory, self._name, self.fd, self._file, is_borrowed=True)

    def is_current(self) -> bool:
        """Return whether its path still leads to it: somebody may have moved the directory away."""
        path = os.path.join(self._directory.path, self._name)
        try:
            found = os.stat(path, follow_symlinks=False)
        except OSError:
            return False
        return (found.st_dev, found.st_ino) == self._file

    def open(self, key: str, *, writable: bool = False) -> int:
        """Open a session's file; return its descriptor (int)."""
        directory = self._directory
        try:
            fd = open_regular(key, os.O_RDWR if writable else os.O_RDONLY, dir_fd=self.fd)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise directory.error("cannot open the session", error, key) from error
        found = directory.examine(fd, key)
        if found.st_uid != os.geteuid():
            close_quietly(fd)
            raise directory.foreign(directory.file_path(key), found, "file")
        return fd

    def entries(self) -> "Iterator[os.DirEntry[str]]":
        """Yield all entries of the shard."""
        with os.scandir(self.fd) as entries:
            yield from entries


class _Attempt:
    """The result of `SessionDirectory.attempt`."""

    def __init__(self, directory: SessionDirectory, what: str, name: str, must_exist: bool) -> None:
        self._directory = directory
        self._what = what
        self._name = name
        self._must_exist = must_exist

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: "type[BaseException] | None",
        error: "BaseException | None",
        trace: "TracebackType | None",
    ) -> bool:
        if not isinstance(error, OSError) or hasattr(error, "status"):
            return False  # none, or one of our own
        if isinstance(error, FileNotFoundError) and not self._must_exist:
            return True
        raise self._directory.error(self._what, error, self._name) from error


def _is_shard(name: str) -> bool:
    return len(name) == 2 and is_key(name * 32)
