"""Sessions in files: one each, in a directory that only the script's user can enter.

A session's file is locked by flock on itself and replaced by a rename, so a process killed at any point
leaves the old file or the new one, and no lock. `directory.py` decides how files are found and opened,
`sessionfile.py` what is in one. This module decides when they are written and deleted.
"""

import os

from ..process import absolute
from ..regularfile import close_quietly, open_regular
from .directory import SessionDirectory
from .sessionfile import HEAD, SessionFileLock, glance, parse, read, write
from .store import SKEW, Record, Store, check_key, is_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Unpack

    from ..errors import StorageError
    from .store import Policy

_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_SMALL = 300  # bytes; a session with nothing but a token takes about 160
_LOOKED_INTO = 200  # the most files that a sweep reads: a request waits for it
_ORPHAN = 3_600  # seconds after which a temporary file is one of a killed process


class FileStore(Store):
    """Sessions in files in `directory`, which is made if it is missing (mode 0700).

    A relative `directory` is taken from the directory that the process was started in, whatever
    `os.chdir` does later; `.directory` is the absolute path. Keep it outside of what the web server
    serves. `policy` is what `Store` takes: `idle`, `absolute` and the others.

    A directory that belongs to another user, that others can write to, or that is a symbolic link
    raises `StorageError`, and so does a file of another user.
    """

    def __init__(self, directory: "str | os.PathLike[str]", **policy: "Unpack[Policy]") -> None:
        super().__init__(**policy)
        self.directory = absolute(directory)
        self._directory = SessionDirectory(self.directory, self.clock)

    def place(self) -> str:
        """Return the real path of the directory: `Store.place`."""
        return os.path.realpath(self.directory)

    def load(self, key: str) -> Record | None:
        """Return the record, or None if there is none: `Store.load`."""
        with (
            self._directory.attempt("cannot read the session", key),
            self._directory.shard(key) as shard,
        ):
            fd = shard.open(key)
            try:
                return read(fd)
            finally:
                close_quietly(fd)
        return None

    def lock(self, key: str, timeout: float) -> "SessionFileLock":
        """Lock a session by flock on its file: `Store.lock`."""
        check_key(key)
        return SessionFileLock(self._directory, key, timeout)

    def save(self, key: str, record: Record, *, new: bool = False) -> None:
        """Write a new file and rename it over the old one: `Store.save`."""
        temporary = key + ".new"  # under the lock one name is enough, and no orphans pile up
        if new:  # there is no lock yet: two may make a user's mark at the same time
            temporary = f"{key}.{os.urandom(4).hex()}.new"
        with (
            self._directory.attempt("cannot save the session", key, must_exist=True),
            self._directory.shard(key, create=True) as shard,
        ):
            fd = _create(temporary, shard.fd)
            try:
                try:
                    write(fd, record)
                finally:
                    os.close(fd)  # not quietly: if the data did not arrive, it must get no name
                if new:  # a link fails where a rename would overwrite
                    _link(temporary, key, shard.fd)
                    os.unlink(temporary, dir_fd=shard.fd)
                else:
                    os.replace(temporary, key, src_dir_fd=shard.fd, dst_dir_fd=shard.fd)
            except BaseException:
                _unlink(temporary, shard.fd)
                raise

    def touch(self, key: str, accessed: float) -> None:
        """Set the file's time stamp: `Store.touch`."""
        stamp = int(accessed * 1e9)
        with (
            self._directory.attempt("cannot set the session's time stamp", key),
            self._directory.shard(key) as shard,
        ):
            os.utime(key, ns=(stamp, stamp), dir_fd=shard.fd, follow_symlinks=False)

    def delete(self, key: str) -> None:
        """Delete the file: `Store.delete`."""
        with (
            self._directory.attempt("cannot delete the session", key),
            self._directory.shard(key) as shard,
        ):
            os.unlink(key, dir_fd=shard.fd)

    def set_aside(self, key: str, reason: str) -> None:
        """Rename the file to `KEY.corrupt-…` beside it: `Store.set_aside`."""
        name = f"{key}.corrupt-{os.urandom(4).hex()}"
        with (
            self._directory.attempt("cannot set the session aside", key),
            self._directory.shard(key) as shard,
        ):
            os.rename(key, name, src_dir_fd=shard.fd, dst_dir_fd=shard.fd)

    def sync(self, key: str) -> None:
        """Write the file to the disk, and the directories it is in: `Store.sync`."""
        with (
            self._directory.attempt("cannot write the session to the disk", key),
            self._directory.shard(key) as shard,
        ):
            _sync(shard.open(key))
            os.fsync(shard.fd)
            _sync(self._directory.open_base())

    def keys(self) -> "Iterator[str]":
        """Yield the keys of all sessions: `Store.keys`."""
        for name in self._directory.shards():
            for entry, _ in self._entries(name):
                if is_key(entry.name):
                    yield entry.name

    def records(self) -> "Iterator[tuple[str, Record]]":
        """Yield keys and records; each shard is opened once: `Store.records`."""
        for name in self._directory.shards():
            try:
                opened = self._directory.open_shard(name)
            except FileNotFoundError:
                continue
            with opened as shard:
                for entry in shard.entries():
                    key = entry.name
                    if not is_key(key):
                        continue
                    record = glance(key, shard.fd) or self.load(key)
                    if record is not None:
                        yield key, record

    def purge_stamp(self, renew: bool = False) -> float:
        """Return, or set, the time stamp of the file `purged`: `Store.purge_stamp`."""
        return self._directory.purge_stamp(renew)

    def purge(
        self,
        now: float | None = None,
        progress: "Callable[[int, int], object] | None" = None,
        *,
        force: bool = False,
    ) -> int:
        """Delete all dead sessions: `Store.purge`. `progress` counts shards, of which there are at most
        256. Files that killed processes have left are deleted too.
        """
        now = self.clock() if now is None else now
        if not self.may_purge(now) and not force:
            return 0
        shards = self._directory.shards()
        deleted = 0
        failed: list[StorageError] = []
        for done, shard in enumerate(shards, 1):
            deleted += self._purge_shard(shard, now, failed)
            if progress:
                progress(done, len(shards))
        _raise_first(failed)
        return deleted

    def sweep(self) -> int:
        """Delete the idle sessions in one of the shards: `Store.sweep`.

        It goes by their time stamps, because a request is waiting. Only some small files are read,
        since sessions with nothing but a token end earlier. Other sessions that have reached their end
        are not found by requests any more, and so become idle.
        """
        now = self.clock()
        if not self.may_purge(now):
            return 0
        failed: list[StorageError] = []
        deleted = self._purge_shard(os.urandom(1).hex(), now, failed, inside=False)
        _raise_first(failed)
        return deleted

    # --- inside -------------------------------------------------------------------------------

    def _purge_shard(
        self, shard: str, now: float, failed: "list[StorageError]", inside: bool = True
    ) -> int:
        """Delete the dead sessions in one shard. With `inside`, the end that each file names is read
        too.

        Errors go to `failed`: a file of another user must not keep all others from being deleted.
        """
        suspects: list[str] = []
        looks = 0
        for entry, fd in self._entries(shard):
            name = entry.name
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
                where = f"{shard}/{name}"
                failed.append(self._directory.error("cannot remove the file", error, where))
        return self._purge_these(suspects, now, failed, len(suspects) if inside else _LOOKED_INTO)

    def _purge_these(
        self, names: list[str], now: float, failed: "list[StorageError]", most: int
    ) -> int:
        """Delete those of `names` that are dead. Stop when more than `most` have turned out to be
        alive, as sessions that are remembered for longer do. Start at a random one, so that each gets
        its turn.
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

    def _in_time(self, name: str, shard: int, now: float) -> bool:
        """Return whether the end that a file names is in the future, and not too far. This is only a
        hint, read without the lock and without checks: a caller that gets False has to look again.
        """
        try:
            fd = open_regular(name, dir_fd=shard)
        except OSError:
            return False
        try:
            record = parse(os.read(fd, HEAD), now)
        except OSError:
            return False
        finally:
            close_quietly(fd)
        return not self.is_suspect(record, now)

    def _entries(self, name: str) -> "Iterator[tuple[os.DirEntry[str], int]]":
        """Yield the entries of a shard, each with the shard's descriptor."""
        try:
            opened = self._directory.open_shard(name)
        except FileNotFoundError:
            return
        with opened as shard:
            for entry in shard.entries():
                yield entry, shard.fd


def _create(name: str, directory: int) -> int:
    """Create a file that nobody else can have prepared; return its descriptor."""
    try:
        return os.open(name, _CREATE, 0o600, dir_fd=directory)
    except FileExistsError:
        # A killed request has left it; or it is a link made by somebody else, so it is not opened.
        os.unlink(name, dir_fd=directory)
        return os.open(name, _CREATE, 0o600, dir_fd=directory)


def _link(name: str, to: str, directory: int) -> None:
    os.link(name, to, src_dir_fd=directory, dst_dir_fd=directory, follow_symlinks=False)


def _sync(fd: int) -> None:
    """Write an open file or directory to the disk, and close it."""
    try:
        os.fsync(fd)
    finally:
        close_quietly(fd)


def _raise_first(failed: "list[StorageError]") -> None:
    if failed:
        raise failed[0]


def _unlink(name: str, directory: int) -> None:
    try:
        os.unlink(name, dir_fd=directory)
    except FileNotFoundError:
        pass  # it is gone already
