"""Sessions in one SQLite database, for hosts where many small files are dear.

What is kept where in the database, and who may use it, is decided here. SQLite itself has only one
write lock for all, which must never be held while a script runs; so a session is locked by flock on a
file of its own in `PATH-locks`, which is there for as long as the lock is held and ends with the
process. The database is in WAL mode: readers and the writer do not wait for each other.
"""

import os
import sqlite3
import stat
import sys

from ..process import absolute
from .payload import KEEP, MOST_BYTES
from .sqlitelock import SQLiteLock, give, take
from .store import SKEW, Record, Store, check_key, is_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any, Unpack

    from .store import Policy

    _File = tuple[int, int]  # device and inode

_APPLICATION = 0x63676973  # "cgis", in the file's head: whose database it is
_PAGE = 500  # keys that are read at once: no reader stays in the way of the WAL's end
_SETTLED = 2  # seconds that whoever moves a database away may take from its first file to its last
_SWEPT = 200  # sessions that one sweep deletes at most: it must not hold a request up
_LOAD = "SELECT coalesce(substr(payload, 1, ?), x''), accessed, expires FROM sessions WHERE key = ?"
_INSERT = "INSERT INTO sessions (key, accessed, expires, payload) VALUES (?, ?, ?, ?)"
_REPLACE = (
    f"{_INSERT} ON CONFLICT (key) DO UPDATE SET accessed = excluded.accessed,"
    " expires = excluded.expires, payload = excluded.payload"
)
_SET_ASIDE = "INSERT INTO quarantine SELECT key, ?, ?, payload FROM sessions WHERE key = ?"
_KEYS = "SELECT key FROM sessions WHERE key > ? ORDER BY key LIMIT ?"
# Dead, or with a time stamp that is too far ahead and has to be mended: `Store.purge_one` decides.
_KEPT = f"(substr(payload, 1, {len(KEEP)}) = x'{KEEP.hex()}')"  # it says itself how long it lives
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
"""  # the payload last: a scan of the times must not drag its pages along


class SQLiteStore(Store):
    """Sessions in the SQLite database `path`, which is made if it is missing (mode 0600), with its
    directory (0700).

    A relative path begins in the directory that the process was started in, whatever `os.chdir` does
    later. Keep it where the server does not serve it, and on a local disk. `busy_timeout` is how many
    seconds to wait for another process that is writing (`LockTimeout`); `policy` is what `Store` takes.

    A database that belongs to another user or is open to others raises `StorageError`, and so does
    one in a directory that others can write to, even with the sticky bit, and a damaged one.
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
        # SQLite's connections must not cross a fork, and its transactions not cross threads. Those
        # of the parent stay here, since closing them would be using them.
        self._connections: dict[tuple[int, int], tuple[sqlite3.Connection, _File]] = {}
        self._held: dict[str, SQLiteLock] = {}

    def __del__(self) -> None:
        self.close()

    def close(self) -> None:
        """Close the database. It is opened again when it is needed. Not for use beside threads that
        still use the store.
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
        """Return the record, None if there is none: `Store.load`."""
        check_key(key)
        # One byte more than can be right, and never all of what somebody may have put there.
        for payload, accessed, expires in self._run(_LOAD, MOST_BYTES + 1, key):
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
        """Commit once more, and wait for the disk: `Store.sync`. All commits before are there, too.
        SQLite writes nothing where nothing changes, so that the time stamp moves, by a millisecond.
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
        """Return, or set, what the table `purged` holds: `Store.purge_stamp`."""
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
        that killed processes have left go too.
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
        """Delete the dead ones in one of 256 parts, 200 at most: `Store.sweep`."""
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
        """Return this thread's connection to the database that has the name now. SQLite would go on
        with one that was moved away or deleted, and what is saved there nobody else ever sees.
        """
        from _thread import get_ident

        from ..locks import MOST_TRIES

        me = (os.getpid(), get_ident())
        known = self._connections.get(me)
        if known is not None:
            connection, file = known
            if connection.in_transaction or _file(self.path) == file:
                return connection
            del self._connections[me]
            connection.close()  # SQLite sees that the file was moved, and leaves the new one's alone
        for _ in range(MOST_TRIES):
            self._prepare()
            before = _file(self.path)
            connection = self._open(self.path)
            try:
                self._recognise(connection)
                # Not before: beside somebody else's database nothing is to be made.
                self._prepare_directory(self.path + "-locks", private=True)
            except BaseException:
                connection.close()
                raise
            if before is not None and before == _file(self.path):
                self._connections[me] = connection, before
                return connection
            connection.close()  # it was replaced while we opened it
        raise self._refused(self.path, "is replaced again and again; see by what")

    def _open(self, path: str) -> sqlite3.Connection:
        connection = sqlite3.connect(
            path, timeout=self.busy_timeout, isolation_level=None, check_same_thread=False
        )
        # A commit is in the WAL, which a killed process cannot tear; only a power cut can lose the
        # last ones. The database itself is synced before a WAL begins anew.
        try:
            connection.execute("PRAGMA synchronous = NORMAL")
        except BaseException:
            connection.close()
            raise
        return connection

    def _recognise(self, connection: sqlite3.Connection) -> None:
        """Refuse a database that is not one of ours."""
        owner = connection.execute("PRAGMA application_id").fetchone()[0]
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if (owner, version) != (_APPLICATION, 1):
            raise self._refused(self.path, "is no session database of this version; name another")
        # Else the last to leave copies the WAL into the database and syncs both: with CGI that is
        # every request. Python 3.11 cannot say so.
        if sys.version_info >= (3, 12):
            connection.setconfig(sqlite3.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE)

    def _prepare(self) -> None:
        """Make the database if it is missing, and look at who else could change it."""
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
        # What follows says how to change the file's owner and mode: not those of /etc/passwd.
        closed = found.st_uid == os.geteuid() and not found.st_mode & 0o077
        if not closed and _is_other(self.path):
            raise self._refused(self.path, "is not a session database; name another file")
        self._check_owner(self.path, found)
        if found.st_mode & 0o077:
            from shlex import quote

            how = f"chmod 600 {quote(self.path)}"
            raise self._refused(self.path, f"is open to other users; close it: {how}")
        # Last: with another user's database these are that user's, too, and the advice above helps
        for name in self._beside():
            self._check_beside(name)

    def _check_beside(self, path: str) -> None:
        """Refuse anything but a file of our own where SQLite will open one: it would wait for a FIFO
        for ever, show what it writes to whoever else owns the file, and believe what stands there.
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
            raise self._refused(path, "is no directory; remove it")
        if private:
            self._check_owner(path, found)
        # Nor with the sticky bit: others could put SQLite's files there before SQLite makes them.
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
        """Make the database elsewhere and rename it: nobody sees one that is half made."""
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
        """Rename what is left of a database that has gone. SQLite would take the writes in its WAL
        for the new one's, which damages that and brings the old sessions back.
        """
        names = self._rest()
        if names:  # somebody may be moving one file after the other
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
                what = f"belongs to a database that has gone; move it too: {error.strerror}"
                raise self._refused(name, what) from error

    def _rest(self) -> list[str]:
        return [name for name in self._beside() if os.path.lexists(name)]

    def _beside(self) -> tuple[str, str, str]:
        """Return the paths of the files that SQLite has beside the database."""
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
        """Make sure before a change that the lock that we have taken still excludes the others."""
        held = self._held.get(key)
        if held is not None:
            held.renew()

    def _let_go(self, key: str) -> None:
        held = self._held.pop(key, None)
        if held is not None:
            held.release()

    def _clear_locks(self) -> None:
        """Remove the lock files that nobody holds: what killed processes have left."""
        directory = self.path + "-locks"
        try:
            for name in os.listdir(directory):
                fd = take(f"{directory}/{name}") if is_key(name) else None
                if fd is not None:
                    give(f"{directory}/{name}", fd)
        except FileNotFoundError:
            pass  # somebody has removed all of them

    # --- errors -------------------------------------------------------------------------------

    def _refused(self, path: str, reason: str) -> Exception:
        from ..errors import StorageError

        return StorageError(path, reason)

    def _error(self, error: sqlite3.Error) -> Exception:
        """Return the error of ours for one of SQLite's."""
        from ..errors import LockTimeout

        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL}:
            return LockTimeout(self.path, self.busy_timeout)
        advice = ""
        if code == sqlite3.SQLITE_CONSTRAINT:
            advice = "; there is a session under this key already"
        elif code == sqlite3.SQLITE_FULL:
            advice = "; make room on its disk"
        elif code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
            advice = "; move it away, with its -wal and -shm files, and a new one is made"
        elif code in {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}:
            from .owner import user

            me = user(os.geteuid())
            advice = f"; this runs as {me}, who must be able to write it and its directory"
        return self._refused(self.path, f"{error}{advice}")


def _file(path: str) -> "_File | None":
    """Return which file has a name now: its device and inode; None if there is none."""
    try:
        found = os.lstat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _is_other(path: str) -> bool:
    """Tell whether a file begins as no session database does. One that cannot be read may be one."""
    from ..regularfile import open_regular

    try:
        fd = open_regular(path)
    except OSError:
        return False
    try:
        head = os.read(fd, 72)
    finally:
        os.close(fd)
    # The application id is at offset 68: section 1.3 of SQLite's description of its file format.
    return not head.startswith(b"SQLite format 3\0") or head[68:] != _APPLICATION.to_bytes(4, "big")
