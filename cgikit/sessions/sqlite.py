"""Sessions in one SQLite database, for hosts where many small files are a problem.

This module decides what is stored where in the database, and who may use it. SQLite has only one write
lock for everything, which must never be held while a script runs. So each session is locked by flock
on a file of its own in `PATH-locks`, which exists as long as the lock is held; the lock ends with the
process. The database is in WAL mode: readers and the writer do not wait for each other.
"""

import os
import sqlite3
import stat
import sys

from ..process import absolute
from .payload import KEEP, MAX_BYTES
from .sqlitelock import SQLiteLock, give, take
from .store import SKEW, Record, Store, check_key, is_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, Unpack

    from .store import Policy

    _File = tuple[int, int]  # device and inode

_APPLICATION = 0x63676973  # "cgis" in the header of the file: the application id
_PAGE = 500  # keys per read: a long read would keep the WAL from being reset
_SETTLED = 2  # seconds; the longest that moving all files of a database away may take
_SWEPT = 200  # the most sessions that one sweep deletes: a request waits for it
_LOAD = "SELECT coalesce(substr(payload, 1, ?), x''), accessed, expires FROM sessions WHERE key = ?"
_INSERT = "INSERT INTO sessions (key, accessed, expires, payload) VALUES (?, ?, ?, ?)"
_REPLACE = (
    f"{_INSERT} ON CONFLICT (key) DO UPDATE SET accessed = excluded.accessed,"
    " expires = excluded.expires, payload = excluded.payload"
)
_SET_ASIDE = "INSERT INTO quarantine SELECT key, ?, ?, payload FROM sessions WHERE key = ?"
_KEYS = "SELECT key FROM sessions WHERE key > ? ORDER BY key LIMIT ?"
# Sessions that are dead, or have a time stamp too far in the future: `Store.purge_one` decides.
_KEPT = f"(substr(payload, 1, {len(KEEP)}) = x'{KEEP.hex()}')"  # it has a lifetime of its own
_SUSPECT = f"((accessed <= ? AND NOT {_KEPT}) OR expires <= ? OR accessed > ? OR expires > ?)"
_COUNT_SUSPECTS = f"SELECT count(*) FROM sessions WHERE {_SUSPECT}"  # noqa: S608  # constants
_SUSPECTS = f"SELECT key FROM sessions WHERE {_SUSPECT} AND key > ? ORDER BY key LIMIT ?"  # noqa: S608
_SOME_SUSPECTS = f"SELECT key FROM sessions WHERE {_SUSPECT} AND key BETWEEN ? AND ? LIMIT ?"  # noqa: S608
_TABLES = """
CREATE TABLE sessions (
    key TEXT NOT NULL PRIMARY KEY,
    accessed REAL NOT NULL CHECK (typeof(accessed) = 'real'),
    expires REAL NOT NULL CHECK (typeof(expires) = 'real'),
    payload BLOB NOT NULL CHECK (typeof(payload) = 'blob')
);
CREATE TABLE quarantine (key TEXT NOT NULL, moved REAL NOT NULL, reason TEXT NOT NULL, payload BLOB);
CREATE TABLE purged (at REAL NOT NULL);
"""  # the payload comes last: a scan of the times must not read its pages


class SQLiteStore(Store):
    """Sessions in the SQLite database `path`, which is made if it is missing (mode 0600), with its
    directory (0700).

    A relative path is taken from the directory that the process was started in, whatever `os.chdir`
    does later. Keep it outside of what the web server serves, and on a local disk. `busy_timeout` is
    how many seconds to wait for another process that is writing (`LockTimeout`); `policy` is what
    `Store` takes.

    A database that belongs to another user or is open to others raises `StorageError`. So does a
    damaged one, and one in a directory that others can write to, even with the sticky bit.
    """

    def __init__(
        self,
        path: "str | os.PathLike[str]",
        *,
        busy_timeout: float = 10,
        **policy: "Unpack[Policy]",
    ) -> None:
        super().__init__(**policy)
        self.path = os.path.abspath(absolute(path))
        self.busy_timeout = busy_timeout
        # A connection must not be used after a fork, nor a transaction in two threads. The parent's
        # connections stay here in a child, because closing them would be using them.
        self._connections: dict[tuple[int, int], tuple[sqlite3.Connection, _File]] = {}
        self._held: dict[str, SQLiteLock] = {}

    def __del__(self) -> None:
        self.close()

    def close(self) -> None:
        """Close the database. It is reopened when it is needed. No other thread may be using the
        store.
        """
        process = os.getpid()
        for owner in [
            owner for owner in self.__dict__.get("_connections", ()) if owner[0] == process
        ]:
            self._connections.pop(owner)[0].close()

    # --- what a store does --------------------------------------------------------------------

    def place(self) -> str:
        """Return the real path of the database: `Store.place`."""
        return os.path.realpath(self.path)

    def load(self, key: str) -> Record | None:
        """Return the record, or None: `Store.load`."""
        check_key(key)
        # One byte more than a valid payload can have, and not all of what somebody may have put there.
        for payload, accessed, expires in self._run(_LOAD, MAX_BYTES + 1, key):
            return Record(payload, accessed, expires)
        return None

    def lock(self, key: str, timeout: float) -> "SQLiteLock":
        """Lock a session by flock on a file of its own: `Store.lock`."""
        check_key(key)
        return SQLiteLock(self, key, timeout)

    def save(self, key: str, record: Record, *, new: bool = False) -> None:
        """Insert or change the row: `Store.save`."""
        check_key(key)
        self._still_held(key)
        values = (key, float(record.accessed), float(record.expires), record.payload)
        self._run(_INSERT if new else _REPLACE, *values)
        self._let_go(key)

    def touch(self, key: str, accessed: float) -> None:
        """Set the column `accessed`: `Store.touch`."""
        check_key(key)
        self._run("UPDATE sessions SET accessed = ? WHERE key = ?", float(accessed), key)

    def delete(self, key: str) -> None:
        """Delete the row: `Store.delete`."""
        check_key(key)
        self._still_held(key)
        self._run("DELETE FROM sessions WHERE key = ?", key)
        self._let_go(key)

    def set_aside(self, key: str, reason: str) -> None:
        """Move the row to the table `quarantine`: `Store.set_aside`."""
        check_key(key)
        self._run("BEGIN IMMEDIATE")
        try:
            self._run(_SET_ASIDE, self.clock(), reason, key)
            self._run("DELETE FROM sessions WHERE key = ?", key)
            self._run("COMMIT")
        except BaseException:
            self._connection().rollback()
            raise

    def sync(self, key: str) -> None:
        """Commit once more, and wait for the disk, which syncs all commits before: `Store.sync`. SQLite
        writes nothing if nothing changes, so the time stamp is moved by a millisecond.
        """
        check_key(key)
        self._run("PRAGMA synchronous = FULL")
        try:
            self._run("UPDATE sessions SET accessed = accessed + 0.001 WHERE key = ?", key)
        finally:
            self._run("PRAGMA synchronous = NORMAL")

    def keys(self) -> "Iterator[str]":
        """Yield the keys of all sessions: `Store.keys`."""
        return self._pages(_KEYS, ())

    def count(self) -> int:
        """Return the number of sessions, live and dead."""
        return int(self._run("SELECT count(*) FROM sessions")[0][0])

    def purge_stamp(self, renew: bool = False) -> float:
        """Return, or set, the time in the table `purged`: `Store.purge_stamp`."""
        if renew:
            self._run("UPDATE purged SET at = ?", float(self.clock()))
        return float(self._run("SELECT max(at) FROM purged")[0][0] or 0)

    def purge(
        self,
        now: float | None = None,
        progress: "Callable[[int, int], object] | None" = None,
        *,
        force: bool = False,
    ) -> int:
        """Delete all dead sessions: `Store.purge`. `progress` counts those that look dead. Lock files
        of killed processes are deleted too.
        """
        now = self.clock() if now is None else now
        if not self.may_purge(now) and not force:
            return 0
        where = self._suspect(now)
        total = 0
        if progress:
            total = self._run(_COUNT_SUSPECTS, *where)[0][0]
        deleted = 0
        for done, key in enumerate(self._pages(_SUSPECTS, where), 1):
            deleted += self.purge_one(key, now)
            if progress:
                progress(min(done, total), total)
        self._clear_locks()
        return deleted

    def sweep(self) -> int:
        """Delete the dead sessions in one of 256 parts, at most 200: `Store.sweep`."""
        now = self.clock()
        if not self.may_purge(now):
            return 0
        part = os.urandom(1).hex()
        rows = self._run(_SOME_SUSPECTS, *self._suspect(now), part, part + "g", _SWEPT)
        return sum(self.purge_one(key, now) for (key,) in rows)

    # --- the database -------------------------------------------------------------------------

    def _suspect(self, now: float) -> tuple[float, float, float, float]:
        """Return the values for `_SUSPECT`."""
        return now - self.idle, now, now + SKEW, self.latest(now)

    def _pages(self, statement: str, values: "tuple[float, ...]") -> "Iterator[str]":
        last = ""
        while rows := self._run(statement, *values, last, _PAGE):
            for (key,) in rows:
                if is_key(key):
                    yield key
            last = rows[-1][0]

    def _run(self, statement: str, *values: object) -> "list[Any]":
        """Run one statement in a transaction of its own; return its rows."""
        try:
            return self._connection().execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise self._error(error) from error

    def _connection(self) -> sqlite3.Connection:
        """Return this thread's connection to the database that has the name now. SQLite would continue
        to use a database that was moved away or deleted, and what it saved there would be lost.
        """
        from _thread import get_ident

        from ..locks import MAX_TRIES

        me = (os.getpid(), get_ident())
        known = self._connections.get(me)
        if known is not None:
            connection, file = known
            if connection.in_transaction or _file(self.path) == file:
                return connection
            del self._connections[me]
            connection.close()  # SQLite notices that the file was moved, and leaves the new files alone
        for _ in range(MAX_TRIES):
            self._prepare()
            before = _file(self.path)
            connection = self._open(self.path)
            try:
                self._recognise(connection)
                # Not before: nothing may be made beside another program's database.
                self._prepare_directory(self.path + "-locks", private=True)
            except BaseException:
                connection.close()
                raise
            if before is not None and before == _file(self.path):
                self._connections[me] = connection, before
                return connection
            connection.close()  # the file was replaced while it was being opened
        raise self._refused(self.path, "is being replaced again and again; find out by what")

    def _open(self, path: str) -> sqlite3.Connection:
        connection = sqlite3.connect(
            path, timeout=self.busy_timeout, isolation_level=None, check_same_thread=False
        )
        # A commit goes to the WAL, which a killed process cannot tear; only a power failure can lose
        # the last ones. The database is synced before the WAL is reset.
        try:
            connection.execute("PRAGMA synchronous = NORMAL")
        except BaseException:
            connection.close()
            raise
        return connection

    def _recognise(self, connection: sqlite3.Connection) -> None:
        """Refuse a database of another application."""
        owner = connection.execute("PRAGMA application_id").fetchone()[0]
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if (owner, version) != (_APPLICATION, 1):
            raise self._refused(
                self.path, "is not a session database of this version; use another file"
            )
        # Otherwise the last connection to close copies the WAL into the database and syncs both: with
        # CGI that is every request. Python 3.11 has no way to turn that off.
        if sys.version_info >= (3, 12):
            connection.setconfig(sqlite3.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE)

    def _prepare(self) -> None:
        """Make the database if it is missing, and check that nobody else can change it."""
        self._prepare_directory(os.path.dirname(self.path), private=False)
        try:
            found = os.lstat(self.path)
        except FileNotFoundError:
            self._prepare_directory(self.path + "-locks", private=True)
            self._make()
            found = os.lstat(self.path)
        if not stat.S_ISREG(found.st_mode):
            raise self._refused(
                self.path, "is not a file (links are not followed); name the file itself"
            )
        # The errors below advise to change owner and mode: that must not be done to another file.
        closed = found.st_uid == os.geteuid() and not found.st_mode & 0o077
        if not closed and _is_other(self.path):
            raise self._refused(self.path, "is not a session database; use another file")
        self._check_owner(self.path, found)
        if found.st_mode & 0o077:
            from shlex import quote

            command = f"chmod 600 {quote(self.path)}"
            raise self._refused(self.path, f"is open to other users; close it: {command}")
        # Last: if the database is another user's, so are these, and the advice above covers them.
        for name in self._beside():
            self._check_beside(name)

    def _check_beside(self, path: str) -> None:
        """Refuse anything but a file of our own where SQLite will open one. SQLite would wait forever
        for a FIFO, and another owner of the file could read the sessions and change them.
        """
        try:
            found = os.lstat(path)
        except FileNotFoundError:
            return
        if not stat.S_ISREG(found.st_mode):
            raise self._refused(path, "is not a regular file; see who put it there, and remove it")
        if found.st_mode & 0o077 or found.st_uid != os.geteuid():
            from .owner import user

            whose = f"belongs to {user(found.st_uid)} and has mode {found.st_mode & 0o777:o}"
            raise self._refused(
                path, f"{whose}, not as SQLite makes it; see who put it there, and move it away"
            )

    def _prepare_directory(self, path: str, *, private: bool) -> None:
        try:
            try:
                os.mkdir(path, 0o700)
            except FileExistsError:
                pass
            found = os.lstat(path) if private else os.stat(path)
        except OSError as error:
            raise self._refused(path, f"cannot make the directory: {error.strerror}") from error
        if not stat.S_ISDIR(found.st_mode):
            raise self._refused(path, "is not a directory; remove it")
        if private:
            self._check_owner(path, found)
        # Even with the sticky bit, others could make SQLite's files there before SQLite does.
        if found.st_mode & 0o022:
            from .owner import shared

            raise self._refused(path, shared(path, is_store=private))

    def _check_owner(self, path: str, found: os.stat_result) -> None:
        if found.st_uid != os.geteuid():
            from .owner import stranger

            kind = "directory" if stat.S_ISDIR(found.st_mode) else "file"
            all_of_it = [self.path, *self._beside(), f"{self.path}-locks"]
            paths = [name for name in all_of_it if os.path.lexists(name)]
            raise self._refused(path, stranger(kind, found.st_uid, paths, is_store=None))

    def _make(self) -> None:
        """Make the database under another name and rename it, so that nobody sees an incomplete one."""
        from ..locks import FileLock

        aside = f"{self.path}-locks/new.db"
        with FileLock(f"{self.path}-locks/make", self.busy_timeout):
            if os.path.lexists(self.path):
                return  # another process was faster
            self._set_rest_aside()
            try:
                for name in (aside, f"{aside}-wal", f"{aside}-shm"):
                    if os.path.lexists(name):
                        os.unlink(name)
                flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
                os.close(os.open(aside, flags, 0o600))
                self._fill(aside)
                os.rename(aside, self.path)
            except OSError as error:
                what = f"cannot make the database: {error.strerror}"
                raise self._refused(self.path, what) from error

    def _set_rest_aside(self) -> None:
        """Rename the remaining files of a database that is gone. SQLite would apply its WAL to the new
        database: that would damage it, and bring old sessions back.
        """
        names = self._rest()
        if names:  # somebody may be moving the files one by one
            from time import monotonic

            from ..waiting import wait_for

            deadline = monotonic() + min(_SETTLED, self.busy_timeout / 2)
            wait_for(lambda: None if self._rest() else True, deadline)
            names = self._rest()
        mark = os.urandom(4).hex()
        for name in names:
            try:
                os.rename(name, f"{name}.left-{mark}")
            except FileNotFoundError:
                pass
            except OSError as error:
                what = f"belongs to a database that is gone; move it away too: {error.strerror}"
                raise self._refused(name, what) from error

    def _rest(self) -> list[str]:
        return [name for name in self._beside() if os.path.lexists(name)]

    def _beside(self) -> tuple[str, str, str]:
        """Return the paths of the files that SQLite keeps beside the database."""
        return f"{self.path}-journal", f"{self.path}-wal", f"{self.path}-shm"

    def _fill(self, path: str) -> None:
        connection = self._open(path)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(
                f"{_TABLES}PRAGMA application_id = {_APPLICATION};PRAGMA user_version = 1;"
            )
            connection.execute("INSERT INTO purged VALUES (?)", (float(self.clock()),))
        finally:
            connection.close()

    # --- locks --------------------------------------------------------------------------------

    def _still_held(self, key: str) -> None:
        """Before a change, make sure that our lock still excludes other processes."""
        held = self._held.get(key)
        if held is not None:
            held.renew()

    def _let_go(self, key: str) -> None:
        held = self._held.pop(key, None)
        if held is not None:
            held.release()

    def _clear_locks(self) -> None:
        """Remove the lock files that nobody holds: killed processes have left them."""
        directory = self.path + "-locks"
        try:
            for name in os.listdir(directory):
                fd = take(f"{directory}/{name}") if is_key(name) else None
                if fd is not None:
                    give(f"{directory}/{name}", fd)
        except FileNotFoundError:
            pass  # the directory was removed

    # --- errors -------------------------------------------------------------------------------

    def _refused(self, path: str, reason: str) -> Exception:
        from ..errors import StorageError

        return StorageError(path, reason)

    def _error(self, error: sqlite3.Error) -> Exception:
        """Return cgikit's error for an error of SQLite."""
        from ..errors import LockTimeout

        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL}:
            return LockTimeout(self.path, self.busy_timeout)
        advice = ""
        if code == sqlite3.SQLITE_CONSTRAINT:
            advice = "; there is a session under this key already"
        elif code == sqlite3.SQLITE_FULL:
            advice = "; free some space on its disk"
        elif code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
            advice = "; move it away, with its -wal and -shm files; a new one will be made"
        elif code in {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}:
            from .owner import user

            me = user(os.geteuid())
            advice = f"; this runs as {me}, who must be able to write to it and to its directory"
        return self._refused(self.path, f"{error}{advice}")


def _file(path: str) -> "_File | None":
    """Return the device and inode of a file; None if there is no such file."""
    try:
        found = os.lstat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _is_other(path: str) -> bool:
    """Return whether a file is not a session database. One that cannot be read may be one."""
    from ..regularfile import open_regular

    try:
        fd = open_regular(path)
    except OSError:
        return False
    try:
        head = os.read(fd, 72)
    finally:
        os.close(fd)
    # The application id is at offset 68 (SQLite's file format, section 1.3).
    return not head.startswith(b"SQLite format 3\0") or head[68:] != _APPLICATION.to_bytes(4, "big")
