"""The lock of one session of an SQLite store: flock on a file of its own. Internal to `sqlite.py`.

The file `PATH-locks/KEY` exists as long as the lock is held, and is deleted by its holder. What is done
under the lock belongs to `sqlite.py`.
"""

import os

from .store import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Protocol

    class Locking(Protocol):
        """What a lock needs of its store."""

        path: str
        _held: "dict[str, SQLiteLock]"

        def load(self, key: str) -> Record | None:
            """Return the record, or None: `Store.load`."""

        def _let_go(self, key: str) -> None: ...
        def _prepare_directory(self, path: str, *, private: bool) -> None: ...


class SQLiteLock:
    """The lock of one session: flock on the file `PATH-locks/KEY`, which its holder deletes. Entering
    it returns the record read under it.
    """

    def __init__(self, store: "Locking", key: str, timeout: float) -> None:
        self._store = store
        self._key = key
        self._timeout = timeout
        self._path = f"{store.path}-locks/{key}"
        self._fd: int | None = None
        self._owner = 0
        self._record: Record | None = None

    def __enter__(self) -> Record | None:
        store = self._store
        if store.load(self._key) is None:
            return None
        self._fd, self._owner = self._wait(), os.getpid()
        try:
            record = store.load(self._key)
        except BaseException:
            self.release()
            raise
        if record is None:  # the former holder has deleted the session
            self.release()
        else:
            store._held[self._key] = self
            self._record = record
        return record

    def renew(self) -> None:
        """Take the lock again if its file was removed or moved away meanwhile, for instance with the
        directory. `LockTimeout` if another process has changed the session because of that.
        """
        from ..locks import leads_to
        from ..regularfile import close_quietly

        if self._fd is None or leads_to(self._path, self._fd):
            return
        fd = self._wait()
        close_quietly(self._fd)
        self._fd = fd
        now, seen = self._store.load(self._key), self._record
        if (
            now is None
            or seen is None
            or (now.payload, now.expires) != (seen.payload, seen.expires)
        ):
            raise self._late()

    def _wait(self) -> int:
        from time import monotonic

        deadline = monotonic() + self._timeout
        fd = self._take()
        if fd is None:
            from ..waiting import wait_for

            fd = wait_for(self._take, deadline)
            if fd is None:
                raise self._late()
        return fd

    def _take(self) -> int | None:
        try:
            return take(self._path)
        except FileNotFoundError:  # the directory was removed
            self._store._prepare_directory(os.path.dirname(self._path), private=True)
        try:
            return take(self._path)
        except FileNotFoundError:
            return None

    def _late(self) -> Exception:
        from ..errors import LockTimeout

        return LockTimeout(self._path, self._timeout)

    def release(self) -> None:
        """Release the lock."""
        fd, self._fd = self._fd, None
        if fd is None:
            return
        # A forked child must leave the lock to its parent. A child that outlives it does not keep the
        # lock, because the file that it has open has no name any more.
        if os.getpid() == self._owner:
            give(self._path, fd)
        else:
            from ..regularfile import close_quietly

            close_quietly(fd)

    def __exit__(
        self,
        kind: "type[BaseException] | None",
        error: "BaseException | None",
        trace: "TracebackType | None",
    ) -> None:
        if self._fd is not None:
            self._store._let_go(self._key)


def take(path: str) -> int | None:
    """Make a file and lock it; return its descriptor, or None while another process holds it.

    `FileNotFoundError` if its directory is missing, `StorageError` for any other error.
    """
    from ..locks import leads_to, storage_error, try_lock
    from ..regularfile import close_quietly, open_regular

    try:
        fd = open_regular(path, os.O_RDWR | os.O_CREAT, 0o600)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise storage_error(path, "cannot open the lock file", error) from error
    is_held = False
    try:
        # Its former holder may have deleted it: a lock without a name excludes nobody.
        is_held = try_lock(fd) and leads_to(path, fd) is not None
    except OSError as error:
        if hasattr(error, "status"):
            raise
        raise storage_error(path, "cannot lock the file", error) from error
    finally:
        if not is_held:
            close_quietly(fd)
    return fd if is_held else None


def give(path: str, fd: int) -> None:
    """Delete a file that `take` has locked, and then unlock it: as long as the lock is held, nobody
    else can get a lock under that name.
    """
    from ..errors import CGIError
    from ..locks import leads_to
    from ..regularfile import close_quietly

    try:
        if leads_to(path, fd):  # not a file that another process has made after a removal
            os.unlink(path)
    except (OSError, CGIError):
        pass  # an empty file is left behind
    close_quietly(fd)
