"""Sessions in files: one each, in a directory that only the script's user can enter.

A session is the file `DIRECTORY/ab/abcd…`, named by its key: a line with its end, then its payload; its
time stamp (mtime) says when it was used last. It is locked by flock on itself and replaced by a rename,
so that a process killed at any point leaves the old or the new one, and no lock. Everything is opened
relative to the directory's descriptor, and no symbolic link is followed below it.
"""

import os

from ..process import absolute
from ..regularfile import open_regular
from .sessionfile import HEAD, Closing, FileLock, close, parse, read, write
from .store import SKEW, Record, Store, check_key, is_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Unpack

    from ..errors import StorageError
    from .store import Policy

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_STAMP = "purged"  # an empty file: its time stamp says when a purge ran
_SMALL = 300  # bytes; a file that holds nothing but a token has about 160
_LOOKED_INTO = 200  # files that a sweep reads at most: a request waits for it
_ORPHAN = 3_600  # seconds after which a file that was never put in place belongs to nobody


class FileStore(Store):
    """Sessions in files below `directory`, which is made if it is missing (mode 0700).

    A relative one begins in the directory that the process was started in, whatever `os.chdir` does
    later; `.directory` is the whole. Keep it where the server does not serve it. `policy` is what
    `Store` takes: `idle`, `absolute` and the rest.

    A directory that belongs to another user, that others can write to, or that is a symbolic link
    raises `StorageError`, and so does a file of another user.
    """

    def __init__(self, directory: "str | os.PathLike[str]", **policy: "Unpack[Policy]") -> None:
        super().__init__(**policy)
        self.directory = absolute(directory)

    def place(self) -> str:
        """Return the real path of the directory: `Store.place`."""
        return os.path.realpath(self.directory)

    def load(self, key: str) -> Record | None:
        """Return the record, None if there is none: `Store.load`."""
        fd = self._open(key)
        if fd is None:
            return None
        try:
            return read(fd)
        except OSError as error:
            raise self._error("cannot read the session", error, key) from error
        finally:
            close(fd)

    def lock(self, key: str, timeout: float) -> "FileLock":
        """Lock a session by flock on its file: `Store.lock`."""
        check_key(key)
        return FileLock(self, key, timeout)

    def save(self, key: str, record: Record, *, new: bool = False) -> None:
        """Write a new file and rename it over the old one: `Store.save`."""
        temporary = key + ".new"  # one name is enough under the lock, and leaves no orphans
        if new:  # there is none then: two may make a user's mark at the same time
            temporary = f"{key}.{os.urandom(4).hex()}.new"
        fan = self._fan(key, create=True)
        assert fan is not None  # noqa: S101  # it was made
        try:
            fd = _create(temporary, fan)
            try:
                try:
                    write(fd, record)
                finally:
                    os.close(fd)  # an error that shows only now is the data's: it gets no name then
                if new:  # a link fails where a rename would overwrite
                    os.link(temporary, key, src_dir_fd=fan, dst_dir_fd=fan, follow_symlinks=False)
                    os.unlink(temporary, dir_fd=fan)
                else:
                    os.replace(temporary, key, src_dir_fd=fan, dst_dir_fd=fan)
            except BaseException:
                _unlink(temporary, fan)
                raise
        except OSError as error:
            raise self._error("cannot save the session", error, key) from error
        finally:
            close(fan)

    def touch(self, key: str, accessed: float) -> None:
        """Set the file's time stamp: `Store.touch`."""
        with Closing(self._fan(key)) as fan:
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
        with Closing(self._fan(key)) as fan:
            if fan is None:
                return
            try:
                _unlink(key, fan)
            except OSError as error:
                raise self._error("cannot delete the session", error, key) from error

    def set_aside(self, key: str, reason: str) -> None:
        """Rename the file to `KEY.corrupt-…` beside it: `Store.set_aside`."""
        with Closing(self._fan(key)) as fan:
            if fan is None:
                return
            name = f"{key}.corrupt-{os.urandom(4).hex()}"
            try:
                os.rename(key, name, src_dir_fd=fan, dst_dir_fd=fan)
            except FileNotFoundError:
                pass
            except OSError as error:
                raise self._error("cannot set the session aside", error, key) from error

    def sync(self, key: str) -> None:
        """Write the file to the disk, and the directories it is in: `Store.sync`."""
        with (
            Closing(self._open(key)) as file,
            Closing(self._fan(key)) as fan,
            Closing(self._base()) as base,
        ):
            try:
                for fd in (file, fan, base):
                    if fd is not None:
                        os.fsync(fd)
            except OSError as error:
                raise self._error("cannot write the session to the disk", error, key) from error

    def keys(self) -> "Iterator[str]":
        """Yield the keys of all sessions: `Store.keys`."""
        for fan in self._fans():
            for name, _, _ in self._names(fan):
                if is_key(name):
                    yield name

    def purge_stamp(self, renew: bool = False) -> float:
        """Return, or set, the time stamp of the file `purged`: `Store.purge_stamp`."""
        with Closing(self._base()) as base:
            if base is None:
                return 0.0
            try:
                if renew:
                    self._stamp(base)
                found = os.stat(_STAMP, dir_fd=base, follow_symlinks=False)
            except FileNotFoundError:
                return 0.0
            except OSError as error:
                raise self._error("cannot note the purge", error, _STAMP) from error
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
        failed: list[StorageError] = []
        for done, fan in enumerate(fans, 1):
            deleted += self._purge_fan(fan, now, failed)
            if progress:
                progress(done, len(fans))
        _raise_first(failed)
        return deleted

    def sweep(self) -> int:
        """Delete the idle sessions in one of the directories: `Store.sweep`.

        By their time stamps, for a request waits; only the small ones are read, some of them, since
        those that hold nothing but a token end earlier. What else is at its end is found by no request
        any more, and so becomes idle.
        """
        now = self.clock()
        if not self.may_purge(now):
            return 0
        failed: list[StorageError] = []
        deleted = self._purge_fan(os.urandom(1).hex(), now, failed, inside=False)
        _raise_first(failed)
        return deleted

    # --- inside -------------------------------------------------------------------------------

    def _purge_fan(
        self, fan: str, now: float, failed: "list[StorageError]", inside: bool = True
    ) -> int:
        """Delete the dead in one directory; the end that stands `inside` a file counts if asked for.

        What cannot be examined goes to `failed`: one file of another user must not save all others.
        """
        suspects: list[str] = []
        looks = 0
        for name, entry, fd in self._names(fan):
            try:
                found = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue  # a request was faster
            idle = now - found.st_mtime
            try:
                if is_key(name):
                    suspect = not -SKEW <= idle < self.idle
                    look = inside
                    if not look and idle >= self.token_idle and found.st_size <= _SMALL:
                        looks += 1
                        look = looks <= _LOOKED_INTO
                    if suspect or (look and not self._in_time(name, fd, now)):
                        suspects.append(name)
                elif name.endswith(".new") and idle > _ORPHAN:
                    _unlink(name, fd)
            except OSError as error:
                failed.append(self._error("cannot remove the file", error, f"{fan}/{name}"))
        return self._purge_these(suspects, now, failed, len(suspects) if inside else _LOOKED_INTO)

    def _purge_these(
        self, names: list[str], now: float, failed: "list[StorageError]", most: int
    ) -> int:
        """Delete those that are dead, until `most` turned out to live: those that are kept for longer
        than others. Begin anywhere, so that each gets its turn.
        """
        from ..errors import StorageError

        start = int.from_bytes(os.urandom(4)) % (len(names) or 1)
        deleted = alive = 0
        for name in names[start:] + names[:start]:
            try:
                dead = self.purge_one(name, now)
            except StorageError as error:
                failed.append(error)
                continue
            deleted += dead
            alive += not dead
            if alive > most:
                break
        return deleted

    def _in_time(self, name: str, fan: int, now: float) -> bool:
        """Tell whether the end that stands in a file lies ahead, and not too far. It is only a hint,
        read without the lock and without checks; who finds it wrong looks again.
        """
        try:
            fd = open_regular(name, dir_fd=fan)
        except OSError:
            return False
        try:
            record = parse(os.read(fd, HEAD), now)
        except OSError:
            return False
        finally:
            os.close(fd)
        return not self.is_suspect(record, now)

    def _fans(self) -> list[str]:
        with Closing(self._base()) as base:
            if base is None:
                return []
            return sorted(name for name in os.listdir(base) if _is_fan(name))

    def _names(self, fan: str) -> "Iterator[tuple[str, os.DirEntry[str], int]]":
        with Closing(self._enter(fan)) as fd:
            if fd is not None:
                with os.scandir(fd) as entries:
                    for entry in entries:
                        yield entry.name, entry, fd

    def _open(self, key: str, writable: bool = False) -> int | None:
        """Open a session's file, None if there is none."""
        flags = os.O_RDWR if writable else os.O_RDONLY
        with Closing(self._fan(key)) as fan:
            if fan is None:
                return None
            try:
                fd = open_regular(key, flags, dir_fd=fan)
            except FileNotFoundError:
                return None
            except OSError as error:
                raise self._error("cannot open the session", error, key) from error
        found = self._look(fd, key)
        if found.st_uid != os.geteuid():
            close(fd)
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
        found = self._look(fd)
        if found.st_uid != os.geteuid() or found.st_mode & 0o022:
            close(fd)
            raise self._refused(self.directory, found, "directory")
        if made:
            try:
                self._stamp(fd)
            except OSError as error:
                close(fd)
                raise self._error("cannot write in the directory", error, _STAMP) from error
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

    def _stamp_first(self, base: int) -> None:
        """Note when a store began whose directory was made by hand."""
        try:
            os.stat(_STAMP, dir_fd=base, follow_symlinks=False)
        except FileNotFoundError:
            self._stamp(base)

    def _stamp(self, base: int) -> None:
        fd = open_regular(_STAMP, os.O_WRONLY | os.O_CREAT, 0o600, dir_fd=base)
        now = int(self.clock() * 1e9)
        try:
            os.utime(fd, ns=(now, now))
        finally:
            os.close(fd)

    def _fan(self, key: str, create: bool = False) -> int | None:
        """Open the directory that a key's file is in: 256 of them, so that none gets too large."""
        check_key(key)
        return self._enter(key[:2], create)

    def _enter(self, name: str, create: bool = False) -> int | None:
        with Closing(self._base(create)) as base:
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
                        self._stamp_first(base)
                    except FileExistsError:
                        pass  # another process was faster
                    except OSError as error:
                        raise self._error("cannot make a directory", error, name) from error
                except OSError as error:
                    raise self._error("cannot open the directory", error, name) from error
        found = self._look(fd, name)
        # Who can rename a session's file gives himself the session: its name is the key.
        if found.st_uid != os.geteuid() or found.st_mode & 0o022:
            close(fd)
            raise self._refused(os.path.join(self.directory, name), found, "directory")
        return fd

    def _look(self, fd: int, *name: str) -> os.stat_result:
        """Return what a descriptor leads to; close it where that cannot be told."""
        try:
            return os.fstat(fd)
        except OSError as error:
            close(fd)
            raise self._error("cannot look at what is there", error, *name) from error

    def _path(self, key: str) -> str:
        return os.path.join(self.directory, key[:2], key)

    def _refused(self, path: str, found: os.stat_result, kind: str) -> Exception:
        from ..errors import StorageError
        from .owner import shared, stranger

        is_store = self._looks_like_one()
        if found.st_uid != os.geteuid():
            advice = stranger(kind, found.st_uid, [self.directory], is_store=is_store)
        else:
            advice = shared(path, is_store=is_store)
        return StorageError(path, advice)

    def _obstacle(self, path: str, number: int) -> str:
        """Return what stands in the way of a file or directory, and what to do: mostly its owner."""
        try:
            owner = os.stat(self.directory, follow_symlinks=False).st_uid
        except OSError:
            owner = os.geteuid()
        if owner == os.geteuid():
            from ..locks import refusal

            return refusal(path, number).removeprefix("; ")
        from .owner import stranger

        is_store = self._looks_like_one()
        return stranger("directory", owner, [self.directory], is_store=is_store)

    def _looks_like_one(self) -> bool | None:
        """Tell whether the directory is empty or holds what we make; None if it cannot be read."""
        try:
            names = os.listdir(self.directory)
        except OSError:
            return None
        return not names or any(name == _STAMP or _is_fan(name) for name in names)

    def _error(self, what: str, error: OSError, key: str = "") -> "StorageError":
        import errno

        from ..errors import StorageError

        path = self._path(key) if is_key(key) else os.path.join(self.directory, key)
        advice = ""
        if error.errno == errno.EROFS:
            advice = "; its file system is mounted read-only"
        elif error.errno in {errno.EACCES, errno.EPERM}:
            advice = f"; {self._obstacle(path.rstrip('/'), error.errno)}"
        elif error.errno == errno.ENOTDIR:
            advice = "; symbolic links are not followed: name the directory, or see what is there"
        elif error.errno == errno.ELOOP:
            advice = "; symbolic links are not followed: see who put it there, and remove it"
        elif error.errno in {errno.ENOLCK, errno.EOPNOTSUPP}:
            advice = "; this file system cannot lock: keep the sessions on another one"
        elif error.errno == errno.EEXIST:
            advice = "; there is a session under this key already"
        return StorageError(path, f"{what}: {error.strerror}{advice}")


def _is_fan(name: str) -> bool:
    return len(name) == 2 and is_key(name * 32)


def _create(name: str, directory: int) -> int:
    """Create a file that nobody else can have prepared; return its descriptor."""
    try:
        return os.open(name, _CREATE, 0o600, dir_fd=directory)
    except FileExistsError:
        # Left by a request that was killed; or a link somebody planted, so it must not be opened.
        os.unlink(name, dir_fd=directory)
        return os.open(name, _CREATE, 0o600, dir_fd=directory)


def _raise_first(failed: "list[StorageError]") -> None:
    if failed:
        raise failed[0]


def _unlink(name: str, directory: int) -> None:
    try:
        os.unlink(name, dir_fd=directory)
    except FileNotFoundError:
        pass  # so much the better
