"""Sessions in files: one each, in a directory that only the script's user can enter.

A session is the file `DIRECTORY/ab/abcd…`, named by its key: a line with its end, then its payload; its
time stamp (mtime) says when it was used last. It is locked by flock on itself and replaced by a rename,
so that a process killed at any point leaves the old or the new one, and no lock. Everything is opened
relative to the directory's descriptor, and no symbolic link is followed below it.
"""

import os
import stat

from .store import MOST_BYTES, Record, Store, check_key, is_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType
    from typing import Unpack

    from .store import Policy

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK  # a FIFO would hang here
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_MARK = b"cgikit-session "
_HEAD = 80  # bytes that the first line has at most
_STAMP = "purged"  # an empty file: its time stamp says when a purge ran
_ORPHAN = 3_600  # seconds after which a file that was never put in place belongs to nobody


class FileStore(Store):
    """Sessions in files below `directory`, which is made if it is missing (mode 0700).

    A relative one is relative to the working directory, which servers set to the script's own. Keep it
    where the server does not serve it. `policy` is what `Store` takes: `idle`, `absolute` and the rest.

    A directory that belongs to another user, that others can write to, or that is a symbolic link
    raises `StorageError`, and so does a file of another user.
    """

    def __init__(self, directory: "str | os.PathLike[str]", **policy: "Unpack[Policy]") -> None:
        super().__init__(**policy)
        self.directory = os.fspath(directory)

    def load(self, key: str) -> Record | None:
        """Return the record, None if there is none: `Store.load`."""
        fd = self._open(key)
        if fd is None:
            return None
        try:
            return _read(fd)
        except OSError as error:
            raise self._error("cannot read the session", error, key) from error
        finally:
            os.close(fd)

    def lock(self, key: str, timeout: float) -> "_Lock":
        """Lock a session by flock on its file: `Store.lock`."""
        check_key(key)
        return _Lock(self, key, timeout)

    def save(self, key: str, record: Record, *, new: bool = False) -> None:
        """Write a new file and rename it over the old one: `Store.save`."""
        temporary = key + ".new"  # one name is enough under the lock, and leaves no orphans
        fan = self._fan(key, create=True)
        assert fan is not None  # noqa: S101  # it was made
        try:
            fd = _create(temporary, fan)
            try:
                _fill(fd, record)
                if new:  # a link fails where a rename would overwrite
                    os.link(temporary, key, src_dir_fd=fan, dst_dir_fd=fan, follow_symlinks=False)
                    os.unlink(temporary, dir_fd=fan)
                else:
                    os.replace(temporary, key, src_dir_fd=fan, dst_dir_fd=fan)
            except BaseException:
                _unlink(temporary, fan)
                raise
            finally:
                os.close(fd)
        except OSError as error:
            raise self._error("cannot save the session", error, key) from error
        finally:
            os.close(fan)

    def touch(self, key: str, accessed: float) -> None:
        """Set the file's time stamp: `Store.touch`."""
        with _Closing(self._fan(key)) as fan:
            if fan is None:
                return
            try:
                stamp = int(accessed * 1e9)
                os.utime(key, ns=(stamp, stamp), dir_fd=fan, follow_symlinks=False)
            except FileNotFoundError:
                pass
            except OSError as error:
                raise self._error("cannot set the session's time stamp", error, key) from error

    def delete(self, key: str) -> None:
        """Delete the file: `Store.delete`."""
        with _Closing(self._fan(key)) as fan:
            if fan is None:
                return
            try:
                _unlink(key, fan)
            except OSError as error:
                raise self._error("cannot delete the session", error, key) from error

    def set_aside(self, key: str, reason: str) -> None:
        """Rename the file to `KEY.corrupt-…` beside it: `Store.set_aside`."""
        with _Closing(self._fan(key)) as fan:
            if fan is None:
                return
            name = f"{key}.corrupt-{os.urandom(4).hex()}"
            try:
                os.rename(key, name, src_dir_fd=fan, dst_dir_fd=fan)
            except FileNotFoundError:
                pass
            except OSError as error:
                raise self._error("cannot set the session aside", error, key) from error

    def keys(self) -> "Iterator[str]":
        """Yield the keys of all sessions: `Store.keys`."""
        for fan in self._fans():
            for name, _ in self._names(fan):
                if is_key(name):
                    yield name

    def purge_stamp(self, renew: bool = False) -> float:
        """Return, or set, the time stamp of the file `purged`: `Store.purge_stamp`."""
        with _Closing(self._base()) as base:
            if base is None:
                return 0.0
            try:
                if renew:
                    self._stamp(base)
                found = os.stat(_STAMP, dir_fd=base, follow_symlinks=False)
            except FileNotFoundError:
                return 0.0
            except OSError as error:
                raise self._error("cannot note the purge", error) from error
            return found.st_mtime_ns / 1e9

    def purge(
        self,
        now: float | None = None,
        progress: "Callable[[int, int], object] | None" = None,
        *,
        force: bool = False,
    ) -> int:
        """Delete all dead sessions: `Store.purge`. `progress` counts directories, of which there are
        at most 256. What a process that was killed has left goes too.
        """
        now = self.clock() if now is None else now
        if not self.may_purge(now) and not force:
            return 0
        fans = self._fans()
        deleted = 0
        for done, fan in enumerate(fans, 1):
            deleted += self._purge_fan(fan, now)
            if progress:
                progress(done, len(fans))
        return deleted

    def sweep(self) -> int:
        """Delete the dead sessions in one of the directories: `Store.sweep`."""
        now = self.clock()
        return self._purge_fan(os.urandom(1).hex(), now) if self.may_purge(now) else 0

    # --- inside -------------------------------------------------------------------------------

    def _purge_fan(self, fan: str, now: float) -> int:
        deleted = 0
        for name, entry in self._names(fan):
            try:
                idle = now - entry.stat(follow_symlinks=False).st_mtime
            except FileNotFoundError:
                continue  # a request was faster
            if is_key(name):
                # The end of those in use stands inside; opening them without a lock disturbs nobody.
                record = None if idle >= self.idle else self.load(name)
                sound = record and self.clamped(record, now)
                if record is None or sound is not record or not self.is_live(record, now):
                    deleted += self.purge_one(name, now)
            elif name.endswith(".new") and idle > _ORPHAN:
                with _Closing(self._enter(fan)) as fd:
                    if fd is not None:
                        _unlink(name, fd)
        return deleted

    def _fans(self) -> list[str]:
        with _Closing(self._base()) as base:
            if base is None:
                return []
            return sorted(name for name in os.listdir(base) if len(name) == 2 and is_key(name * 32))

    def _names(self, fan: str) -> "Iterator[tuple[str, os.DirEntry[str]]]":
        with _Closing(self._enter(fan)) as fd:
            if fd is not None:
                with os.scandir(fd) as entries:
                    for entry in entries:
                        yield entry.name, entry

    def _open(self, key: str, flags: int = _READ) -> int | None:
        """Open a session's file, None if there is none."""
        with _Closing(self._fan(key)) as fan:
            if fan is None:
                return None
            try:
                fd = os.open(key, flags, dir_fd=fan)
            except FileNotFoundError:
                return None
            except OSError as error:
                raise self._error("cannot open the session", error, key) from error
        found = os.fstat(fd)
        if found.st_uid != os.geteuid() or not stat.S_ISREG(found.st_mode):
            os.close(fd)
            raise self._refused(self._path(key), found, "file")
        return fd

    def _base(self, create: bool = False) -> int | None:
        """Open the directory; None if it is missing and not to be made."""
        made = False
        while True:
            try:
                fd = os.open(self.directory, _DIRECTORY)
                break
            except FileNotFoundError:
                if not create:
                    return None
                self._make()
                made = True
            except OSError as error:
                raise self._error("cannot open the directory", error) from error
        found = os.fstat(fd)
        shared = found.st_mode & 0o022 and not found.st_mode & stat.S_ISVTX
        if found.st_uid != os.geteuid() or shared:
            os.close(fd)
            raise self._refused(self.directory, found, "directory")
        if made:
            try:
                self._stamp(fd)
            except OSError as error:
                os.close(fd)
                raise self._error("cannot write in the directory", error) from error
        return fd

    def _make(self) -> None:
        try:
            parent = os.path.dirname(self.directory)
            if parent and not os.path.isdir(parent):
                try:
                    os.mkdir(parent)
                except FileExistsError:
                    pass  # another process was faster
            os.mkdir(self.directory, 0o700)
        except FileExistsError:
            pass  # another process was faster
        except OSError as error:
            raise self._error("cannot make the directory", error) from error

    def _stamp(self, base: int) -> None:
        os.close(os.open(_STAMP, _CREATE & ~os.O_EXCL, 0o600, dir_fd=base))
        now = int(self.clock() * 1e9)
        os.utime(_STAMP, ns=(now, now), dir_fd=base, follow_symlinks=False)

    def _fan(self, key: str, create: bool = False) -> int | None:
        """Open the directory that a key's file is in: 256 of them, so that none gets too large."""
        check_key(key)
        return self._enter(key[:2], create)

    def _enter(self, name: str, create: bool = False) -> int | None:
        with _Closing(self._base(create)) as base:
            if base is None:
                return None
            while True:
                try:
                    fd = os.open(name, _DIRECTORY, dir_fd=base)
                    break
                except FileNotFoundError:
                    if not create:
                        return None
                    try:
                        os.mkdir(name, 0o700, dir_fd=base)
                    except FileExistsError:
                        pass  # another process was faster
                    except OSError as error:
                        raise self._error("cannot make a directory", error, name) from error
                except OSError as error:
                    raise self._error("cannot open the directory", error, name) from error
        found = os.fstat(fd)
        if found.st_uid != os.geteuid():
            os.close(fd)
            raise self._refused(os.path.join(self.directory, name), found, "directory")
        return fd

    def _path(self, key: str) -> str:
        return os.path.join(self.directory, key[:2], key)

    def _refused(self, path: str, found: os.stat_result, kind: str) -> Exception:
        from ..errors import StorageError

        user = os.geteuid()
        if found.st_uid != user:
            advice = (
                f"the {kind} belongs to user {found.st_uid}, but this is user {user}; run this as "
                f"that user, or give it over: chown -R {user} {self.directory}"
            )
        elif kind == "directory":
            advice = f"other users can write in it; close it: chmod 700 {path}"
        else:
            advice = "this is no file; see who put it there, and remove it"
        return StorageError(path, advice)

    def _error(self, what: str, error: OSError, key: str = "") -> Exception:
        import errno

        from ..errors import StorageError

        advice = ""
        if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
            advice = f"; this runs as user {os.geteuid()}, who must be able to write there"
        elif error.errno in {errno.ELOOP, errno.ENOTDIR}:
            advice = "; symbolic links are not followed: name the directory itself"
        elif error.errno in {errno.ENOLCK, errno.EOPNOTSUPP}:
            advice = "; this file system cannot lock: keep the sessions on another one"
        elif error.errno == errno.EEXIST:
            advice = "; there is a session under this key already"
        path = os.path.join(self.directory, key) if len(key) < 3 else self._path(key)
        return StorageError(path, f"{what}: {error.strerror}{advice}")


class _Lock:
    """The lock of one session: flock on its file. Entered, it gives the record read under it."""

    def __init__(self, store: FileStore, key: str, timeout: float) -> None:
        self._store = store
        self._key = key
        self._timeout = timeout
        self._fd: int | None = None
        self._owner = 0

    def __enter__(self) -> Record | None:
        from time import monotonic, sleep

        deadline = monotonic() + self._timeout
        pause = 0.0005
        while True:
            # Writable: over NFS an exclusive lock needs that.
            fd = self._store._open(self._key, _READ | os.O_RDWR)
            if fd is None:
                return None
            try:
                while not _flock(fd):
                    if monotonic() >= deadline:
                        raise self._late()
                    sleep(pause)
                    pause = min(pause * 2, 0.02)
                # Whoever held it has put another file in its place, or none: ours excludes nobody.
                if self._is_current(fd):
                    record = _read(fd)
                    self._fd, self._owner = fd, os.getpid()
                    return record
            except OSError as error:
                if hasattr(error, "status"):
                    raise  # one of ours already
                raise self._store._error("cannot lock the session", error, self._key) from error
            finally:
                if self._fd is None:
                    os.close(fd)

    def __exit__(
        self,
        kind: "type[BaseException] | None",
        error: "BaseException | None",
        trace: "TracebackType | None",
    ) -> None:
        if self._fd is None:
            return
        # Children that were forked meanwhile share the lock. One that lives on must not keep it when
        # we let go, and one that ends must not let go for us.
        if os.getpid() == self._owner:
            _unlock(self._fd)
        os.close(self._fd)
        self._fd = None

    def _is_current(self, fd: int) -> bool:
        held = os.fstat(fd)
        with _Closing(self._store._fan(self._key)) as fan:
            if fan is None:
                return False
            try:
                named = os.stat(self._key, dir_fd=fan, follow_symlinks=False)
            except FileNotFoundError:
                return False
        return (held.st_dev, held.st_ino) == (named.st_dev, named.st_ino)

    def _late(self) -> Exception:
        from ..errors import LockTimeout

        return LockTimeout(self._store._path(self._key), self._timeout)


class _Closing:
    """A descriptor, or None, that is closed at the end of the block."""

    def __init__(self, fd: int | None) -> None:
        self._fd = fd

    def __enter__(self) -> int | None:
        return self._fd

    def __exit__(self, *_: object) -> None:
        if self._fd is not None:
            os.close(self._fd)


def _flock(fd: int) -> bool:
    import fcntl

    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _unlock(fd: int) -> None:
    import fcntl

    fcntl.flock(fd, fcntl.LOCK_UN)


def _create(name: str, directory: int) -> int:
    """Create a file that nobody else can have prepared; return its descriptor."""
    try:
        return os.open(name, _CREATE, 0o600, dir_fd=directory)
    except FileExistsError:
        # Left by a request that was killed; or a link somebody planted, so it must not be opened.
        os.unlink(name, dir_fd=directory)
        return os.open(name, _CREATE, 0o600, dir_fd=directory)


def _fill(fd: int, record: Record) -> None:
    data = _MARK + b"1 %.6f\n" % record.expires + record.payload
    while data:  # a full disk writes what fits, and fails the next time
        data = data[os.write(fd, data) :]
    stamp = int(record.accessed * 1e9)
    os.utime(fd, ns=(stamp, stamp))


def _read(fd: int) -> Record:
    """Read a record. One whose first line is not ours is handed over whole as the payload, which then
    is none, and without an end: so it comes to be set aside, not deleted.
    """
    accessed = os.fstat(fd).st_mtime_ns / 1e9
    raw = b""
    while len(raw) <= MOST_BYTES + _HEAD:
        piece = os.read(fd, MOST_BYTES + _HEAD + 1 - len(raw))
        if not piece:
            break
        raw += piece
    head, newline, payload = raw.partition(b"\n")
    try:
        if not newline or len(head) > _HEAD or not head.startswith(_MARK + b"1 "):
            raise ValueError
        return Record(payload, accessed, float(head[len(_MARK) + 2 :]))
    except ValueError:
        return Record(raw, accessed, float("inf"))


def _unlink(name: str, directory: int) -> None:
    try:
        os.unlink(name, dir_fd=directory)
    except FileNotFoundError:
        pass  # so much the better
