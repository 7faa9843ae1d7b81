"""SQLiteStore: the contract, and what only a database has: modes, owners, busy writers, damage."""

import os
import random
import resource
import sqlite3
import threading
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from requirement import lack
from sessions.contract import DAY, NOW, StoreContract, a_key, a_record, data, remembered
from sessions.forked import Forked, Line
from sessions.visiting import Clock, Opener

from cgikit import LockTimeout, StorageError
from cgikit.locks import FileLock
from cgikit.sessions.owner import user
from cgikit.sessions.payload import MAX_BYTES
from cgikit.sessions.sqlite import SQLiteStore
from cgikit.sessions.store import Record

KILLS = 150


class TestSQLiteStore(StoreContract):
    @pytest.fixture
    def opener(self, tmp_path: Path) -> Opener:
        def opened(**policy: Any) -> SQLiteStore:
            return SQLiteStore(tmp_path / "data" / "sessions.db", **policy)

        return opened


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sessions.db"


@pytest.fixture
def store(path: Path) -> SQLiteStore:
    return SQLiteStore(path, clock=Clock(NOW))


def locks(path: Path) -> set[str]:
    """The lock files of sessions that are there."""
    return {p.name for p in Path(f"{path}-locks").iterdir()} - {"make"}


@contextmanager
def raw(path: Path) -> Iterator[sqlite3.Connection]:
    """The database as anybody sees it."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


# --- the files -------------------------------------------------------------------------------


def test_s7_only_the_owner_can_open_the_files(path: Path) -> None:
    old = os.umask(0)
    try:
        store = SQLiteStore(path.parent / "made" / path.name)
        store.save(a_key(), a_record(), new=True)
    finally:
        os.umask(old)
    modes = {p.name: p.stat().st_mode & 0o777 for p in (path.parent / "made").iterdir()}
    assert modes == {
        "sessions.db": 0o600,
        "sessions.db-wal": 0o600,
        "sessions.db-shm": 0o600,
        "sessions.db-locks": 0o700,
    }
    assert (path.parent / "made").stat().st_mode & 0o777 == 0o700


def test_nothing_is_opened_before_the_first_use(path: Path) -> None:
    SQLiteStore(path)
    assert not list(path.parent.iterdir())


def test_a_relative_path_is_that_of_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store = SQLiteStore("sessions.db")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    store.save(a_key(), a_record(), new=True)
    assert (tmp_path / "sessions.db").exists()
    assert not list((tmp_path / "elsewhere").iterdir())


@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o770, 0o1770])
def test_s7_a_directory_that_others_write_to_is_refused(path: Path, mode: int) -> None:
    """Another user put `-wal` there: he read what was saved, and forged sessions. The sticky bit of
    /tmp does not keep him from that.
    """
    path.parent.chmod(mode)
    with pytest.raises(StorageError, match=f"{path.parent}: .*a directory of its own"):
        SQLiteStore(path).count()
    assert not list(path.parent.iterdir())
    path.parent.chmod(0o755)
    assert SQLiteStore(path).count() == 0


@pytest.mark.parametrize("end", ["-wal", "-shm", "-journal"])
@pytest.mark.parametrize("how", ["mode", "owner"])
def test_s7_what_another_user_put_beside_the_database_is_refused(
    path: Path, end: str, how: str
) -> None:
    if how == "owner" and os.geteuid():
        lack("the rights of root")
    store, key = SQLiteStore(path), a_key()
    store.save(key, a_record("kept"), new=True)
    store.close()
    planted = Path(f"{path}{end}")
    is_new = not planted.exists()  # from Python 3.12 on the WAL stays, with what was saved
    planted.touch(0o600)
    before = planted.read_bytes()
    if how == "mode":
        planted.chmod(0o666)
    else:
        os.chown(planted, 65_534, 65_534)
    for use in (lambda: SQLiteStore(path).load(key), lambda: SQLiteStore(path).count()):
        with pytest.raises(StorageError, match=f"{planted}.*see who put it there"):
            use()
    assert planted.read_bytes() == before
    os.chown(planted, os.geteuid(), -1)
    planted.chmod(0o600)
    if is_new:
        planted.unlink()
    assert data(SQLiteStore(path).load(key)) == "kept"


@pytest.mark.parametrize("mode", [0o770, 0o1777])
def test_s7_a_directory_of_locks_that_others_write_to_is_refused(path: Path, mode: int) -> None:
    directory = Path(f"{path}-locks")
    directory.mkdir()
    directory.chmod(mode)
    with pytest.raises(StorageError, match=f"{directory}: .*chmod go-w"):
        SQLiteStore(path).count()


def test_s7_links_are_not_followed(path: Path, tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.mkdir()
    SQLiteStore(target / "other.db").count()
    before = sorted(p.name for p in target.iterdir())
    path.symlink_to(target / "other.db")
    with pytest.raises(StorageError, match="links are not followed"):
        SQLiteStore(path).count()
    path.unlink()
    path.symlink_to(target / "missing.db")
    with pytest.raises(StorageError, match="links are not followed"):
        SQLiteStore(path).count()
    path.unlink()
    Path(f"{path}-locks").symlink_to(target)
    with pytest.raises(StorageError, match="is not a directory"):
        SQLiteStore(path).count()
    assert sorted(p.name for p in target.iterdir()) == before


def test_s7_a_link_for_a_lock_is_not_followed(store: SQLiteStore, path: Path) -> None:
    key = a_key()
    store.save(key, a_record(), new=True)
    Path(f"{path}-locks/{key}").symlink_to(path.parent / "planted")
    with pytest.raises(StorageError, match="symbolic link"), store.lock(key, 1):
        pass
    assert not (path.parent / "planted").exists()


def test_s7_what_belongs_to_others_is_refused(store: SQLiteStore, path: Path) -> None:
    if os.geteuid():
        lack("root, to give files away")
    store.count()
    store.close()
    os.chown(path, 65_534, -1)
    with pytest.raises(
        StorageError, match=f"{path}: the file belongs to {user(65_534)}, .*sudo -u"
    ):
        store.count()
    os.chown(path, 0, -1)
    os.chown(f"{path}-locks", 65_534, -1)
    with pytest.raises(StorageError, match=f"-locks: the directory belongs to {user(65_534)}"):
        store.count()


def test_s7_a_database_that_is_open_to_others_is_refused(store: SQLiteStore, path: Path) -> None:
    store.count()
    store.close()
    path.chmod(0o640)
    with pytest.raises(StorageError, match="chmod 600"):
        store.count()


@pytest.mark.parametrize("script", ["CREATE TABLE accounts (name)", "PRAGMA user_version = 1"])
def test_a_database_of_something_else_is_left_alone(path: Path, script: str) -> None:
    with raw(path) as connection:
        connection.execute(script)
    path.chmod(0o600)
    before = path.read_bytes()
    with pytest.raises(StorageError, match="not a session database"):
        SQLiteStore(path).count()
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("content", [b"no database at all" * 100, b"", b"SQLite format 3\0" * 99])
def test_what_is_no_database_is_an_error_each_time(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    path.chmod(0o600)
    store = SQLiteStore(path)
    for _ in range(2):
        with pytest.raises(StorageError, match=str(path)):
            store.count()
    assert path.read_bytes() == content


def test_a_damaged_database_is_an_error_that_says_what_to_do(
    store: SQLiteStore, path: Path
) -> None:
    for _ in range(50):
        store.save(a_key(), a_record("x" * 1000), new=True)
    store.close()
    with raw(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * (size - 4096))
    with pytest.raises(StorageError, match="move it away"):
        list(store.keys())


def test_a_directory_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match=f"{tmp_path}/file/x: cannot make the directory"):
        SQLiteStore(tmp_path / "file" / "x" / "s.db").count()


def test_no_room_is_a_typed_error_and_the_old_value_stays(store: SQLiteStore, path: Path) -> None:
    key = a_key()
    store.save(key, a_record("old"), new=True)
    store.close()

    def write(line: Line) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        mine = SQLiteStore(path)
        with mine.lock(key, 0), pytest.raises(StorageError, match=str(path)):
            mine.save(key, a_record("x" * 500_000))
        with mine.lock(key, 0) as record:
            assert data(record) == "old"

    with Forked(write):
        pass
    assert data(store.load(key)) == "old"
    assert locks(path) == set()


# --- moved away ------------------------------------------------------------------------------


def test_9_2_6_what_a_moved_database_left_beside_it_is_not_read_by_the_new_one(
    store: SQLiteStore, path: Path
) -> None:
    """SQLite takes a WAL for that of whatever database lies beside it."""
    old, new = a_key(), a_key()
    store.save(old, a_record("old"), new=True)
    path.rename(path.parent / "away.db")
    other = SQLiteStore(path, clock=Clock(NOW))
    assert other.count() == 0
    left = sorted(p.name for p in path.parent.glob("*.left-*"))
    assert [name.partition(".left-")[0] for name in left] == ["sessions.db-shm", "sessions.db-wal"]
    store.save(new, a_record("new"), new=True)
    assert list(other.keys()) == [new]
    for name in left:  # nothing was lost
        (path.parent / name).rename(path.parent / f"away.db{name[11:15]}")
    assert list(SQLiteStore(path.parent / "away.db").keys()) == [old]


def test_9_2_6_a_database_that_is_moved_during_a_request(store: SQLiteStore, path: Path) -> None:
    key = a_key()
    store.save(key, a_record("old"), new=True)
    away = path.parent / "away"
    away.mkdir()
    with store.lock(key, 5):
        for name in ("", "-wal", "-shm"):
            Path(f"{path}{name}").rename(away / f"{path.name}{name}")
        store.save(key, a_record("new"))
    assert data(SQLiteStore(path).load(key)) == "new"
    assert data(SQLiteStore(away / path.name).load(key)) == "old"


def test_9_2_6_workers_go_on_while_databases_are_moved_away(path: Path) -> None:
    """Each is whole, and none has what was saved after it was moved."""
    rounds, workers = 20, 4

    def work(line: Line) -> None:
        store = SQLiteStore(path, busy_timeout=60)
        while line.hear() == "save":
            key = a_key()
            store.save(key, a_record(), new=True)
            line.tell(key)

    saved: list[set[str]] = []
    with ExitStack() as stack:
        children = [stack.enter_context(Forked(work)) for _ in range(workers)]
        for number in range(rounds):
            for child in children:
                child.tell("save")
            saved.append({child.hear() for child in children})
            away = path.parent / f"away{number}"
            away.mkdir()
            for name in ("", "-wal", "-shm"):
                if os.path.exists(f"{path}{name}"):  # the last one to close it takes them along
                    Path(f"{path}{name}").rename(away / f"{path.name}{name}")
        for child in children:
            child.tell("end")
    for number, keys in enumerate(saved):
        away = path.parent / f"away{number}" / path.name
        assert set(SQLiteStore(away).keys()) == keys
        with raw(away) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


# --- many at once ----------------------------------------------------------------------------


def test_many_processes_open_it_at_once(path: Path) -> None:
    keys = [a_key() for _ in range(16)]

    def work(key: str, line: Line) -> None:
        line.hear()
        SQLiteStore(path).save(key, a_record(), new=True)

    with ExitStack() as stack:
        children = [
            stack.enter_context(Forked(lambda line, mine=key: work(mine, line))) for key in keys
        ]
        for child in children:
            child.tell("go")
    assert sorted(SQLiteStore(path).keys()) == sorted(keys)
    assert locks(path) == set()
    with raw(path) as connection:
        assert connection.execute("SELECT count(*) FROM purged").fetchall() == [(1,)]
        assert connection.execute("PRAGMA journal_mode").fetchall() == [("wal",)]


def test_whoever_comes_second_does_not_make_it_again(path: Path, tmp_path: Path) -> None:
    key = a_key()
    other = SQLiteStore(tmp_path / "other.db")
    other.save(key, a_record("first"), new=True)
    other.close()
    with raw(tmp_path / "other.db") as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def work(line: Line) -> None:
        line.hear()
        assert data(SQLiteStore(path).load(key)) == "first"

    Path(f"{path}-locks").mkdir(0o700)
    make = f"{path}-locks/make"
    child = Forked(work)  # before the lock, which it would share
    with FileLock(make):
        child.tell("go")
        deadline = time.monotonic() + 30
        while make not in opened_by(child.pid):  # it has seen that there is none
            assert time.monotonic() < deadline
        (tmp_path / "other.db").rename(path)
    with child:
        pass


def opened_by(pid: int) -> set[str]:
    """The files that a process has open."""
    found = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        try:
            found.add(os.readlink(descriptor))
        except FileNotFoundError:
            pass  # closed meanwhile
    return found


def test_a_database_half_made_is_made_again(store: SQLiteStore, path: Path) -> None:
    """Whoever is killed while making it leaves nothing that the next one would take for it."""
    aside = Path(f"{path}-locks")
    aside.mkdir(0o700)
    for name in ("new.db", "new.db-wal", "new.db-shm"):
        (aside / name).write_bytes(b"half")
    assert store.count() == 0
    assert locks(path) == set()


def test_a_busy_database_is_an_error_in_time(path: Path) -> None:
    store = SQLiteStore(path, busy_timeout=0.05)
    key = a_key()
    store.save(key, a_record("old"), new=True)
    with raw(path) as other:
        other.execute("BEGIN IMMEDIATE")
        assert data(store.load(key)) == "old"  # readers do not wait
        start = time.monotonic()
        for change in (
            lambda: store.save(key, a_record("new")),
            lambda: store.save(a_key(), a_record("new"), new=True),
            lambda: store.touch(key, NOW + 1),
            lambda: store.delete(key),
            lambda: store.set_aside(key, ""),
            lambda: store.purge(force=True),
        ):
            with pytest.raises(LockTimeout) as caught:
                change()
            assert caught.value.path == str(path)
            assert caught.value.timeout == 0.05
        assert time.monotonic() - start < 20
        other.execute("ROLLBACK")
    with store.lock(key, 0) as record:
        assert data(record) == "old"
        store.save(key, a_record("new"))
    assert data(store.load(key)) == "new"


def test_a_session_that_is_locked_keeps_nobody_else_from_writing(
    store: SQLiteStore, path: Path
) -> None:
    key = a_key()
    store.save(key, a_record(), new=True)
    with store.lock(key, 0), raw(path) as other:
        assert locks(path) == {key}
        other.execute("PRAGMA busy_timeout = 0")
        other.execute("BEGIN IMMEDIATE")
        other.execute("ROLLBACK")
    assert locks(path) == set()


@pytest.mark.parametrize("how", ["save", "delete"])
def test_the_next_one_gets_in_before_the_block_ends(
    store: SQLiteStore, path: Path, how: str
) -> None:
    key = a_key()
    store.save(key, a_record("old"), new=True)
    other = SQLiteStore(path)
    with store.lock(key, 0):
        if how == "save":
            store.save(key, a_record("new"))
        else:
            store.delete(key)
            store.save(key, a_record("new"), new=True)
        with other.lock(key, 0) as record:
            assert data(record) == "new"
            with pytest.raises(LockTimeout), store.lock(key, 0):
                pass
    assert locks(path) == set()


def test_threads_exclude_each_other_too(store: SQLiteStore) -> None:
    key = a_key()
    store.save(key, a_record(0), new=True)
    failed: list[BaseException] = []

    def count() -> None:
        try:
            for _ in range(50):
                with store.lock(key, 60) as record:
                    number = data(record)
                    assert isinstance(number, int)
                    store.save(key, a_record(number + 1))
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert data(store.load(key)) == 200


def test_a_child_uses_no_connection_of_its_parent(store: SQLiteStore) -> None:
    key = a_key()
    store.save(key, a_record("parent"), new=True)

    def work(line: Line) -> None:
        assert data(store.load(key)) == "parent"
        assert {owner[0] for owner in store._connections} == {os.getppid(), os.getpid()}
        store.close()
        assert {owner[0] for owner in store._connections} == {os.getppid()}

    with Forked(work):
        pass
    assert data(store.load(key)) == "parent"


def test_a_child_does_not_let_go_for_its_parent(store: SQLiteStore, path: Path) -> None:
    key = a_key()
    store.save(key, a_record(), new=True)
    with ExitStack() as stack:
        stack.enter_context(store.lock(key, 0))
        with Forked(lambda line: stack.close()):
            pass
        assert locks(path) == {key}
        with pytest.raises(LockTimeout), SQLiteStore(path).lock(key, 0):
            pass
    assert locks(path) == set()


def test_a_child_that_lives_on_does_not_keep_the_lock(store: SQLiteStore, path: Path) -> None:
    key = a_key()
    store.save(key, a_record(), new=True)
    with store.lock(key, 0):
        child = Forked(lambda line: line.hear())
    with child:
        with store.lock(key, 0) as record:
            assert record is not None
        child.tell("go")


# --- processes that die ----------------------------------------------------------------------


def test_killed_at_any_point_nothing_acknowledged_is_lost(store: SQLiteStore, path: Path) -> None:
    key = a_key()
    store.save(key, a_record(0), new=True)
    store.close()
    chance = random.Random(3875)

    def count(line: Line) -> None:
        mine = SQLiteStore(path, lock_timeout=60)
        while True:
            with mine.lock(key, 60) as record:
                number = data(record)
                assert isinstance(number, int)
                mine.save(key, a_record(number + 1))
            line.tell(str(number + 1))

    reached = 0
    for _ in range(KILLS):
        with Forked(count) as child:
            for _ in range(chance.randint(1, 5)):
                reached = int(child.hear())
            time.sleep(chance.random() / 500)  # where it is killed is for chance to say
            child.kill()
            with store.lock(key, 0) as record:  # no lock is stuck
                number = data(record)
                assert isinstance(number, int)
                assert number >= reached
    store.close()
    with raw(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_the_lock_file_of_one_who_was_killed_goes_with_the_next(
    store: SQLiteStore, path: Path
) -> None:
    key, gone = a_key(), a_key()
    store.save(key, a_record(), new=True)
    store.save(gone, a_record(accessed=NOW - DAY), new=True)

    def hold(line: Line) -> None:
        with SQLiteStore(path).lock(key, 0), SQLiteStore(path).lock(gone, 0):
            line.tell("locked")
            line.hear()

    with Forked(hold) as child:
        assert child.hear() == "locked"
        child.kill()
    store.delete(gone)
    assert locks(path) == {key, gone}
    with store.lock(key, 0):
        pass
    assert locks(path) == {gone}
    with store.lock(key, 0):
        store.purge()
        assert locks(path) == {key}  # in use; the other one led to no session any more


# --- rows ------------------------------------------------------------------------------------


def test_s11_what_is_damaged_is_kept_with_the_reason(store: SQLiteStore, path: Path) -> None:
    key = a_key()
    store.save(key, Record(b"\0 no JSON", NOW, NOW + DAY), new=True)
    store.set_aside(key, "a good reason")
    with raw(path) as connection:
        rows = connection.execute("SELECT key, moved, reason, payload FROM quarantine").fetchall()
    assert rows == [(key, NOW, "a good reason", b"\0 no JSON")]
    assert store.purge(NOW + 10 * DAY, force=True) == 0
    with raw(path) as connection:
        assert connection.execute("SELECT count(*) FROM quarantine").fetchone() == (1,)


def test_a_payload_that_is_far_too_large_is_not_read_whole(store: SQLiteStore, path: Path) -> None:
    key = a_key()
    store.save(key, a_record(), new=True)
    with raw(path) as connection:
        connection.execute("UPDATE sessions SET payload = zeroblob(?)", (20 * MAX_BYTES,))
    record = store.load(key)
    assert record is not None
    assert len(record.payload) == MAX_BYTES + 1


@pytest.mark.parametrize("column", ["payload", "accessed", "expires"])
def test_by_hand_only_what_a_store_can_return_goes_in(
    store: SQLiteStore, path: Path, column: str
) -> None:
    store.save(a_key(), a_record(), new=True)
    with raw(path) as connection, pytest.raises(sqlite3.IntegrityError):
        connection.execute(f"UPDATE sessions SET {column} = 'text'")


def test_listing_and_purging_take_flat_memory(store: SQLiteStore, path: Path) -> None:
    store.count()
    with raw(path) as connection:
        connection.execute("BEGIN")
        connection.executemany(
            "INSERT INTO sessions (key, accessed, expires, payload) VALUES (?, ?, ?, ?)",
            ((f"{n:064x}", NOW, NOW + DAY, b"x" * 200) for n in range(30_000)),
        )
        connection.execute("COMMIT")
    tracemalloc.start()
    try:
        assert store.count() == 30_000
        assert sum(map(len, store.keys())) == 64 * 30_000
        assert store.purge(NOW + 10, force=True) == 0
        assert tracemalloc.get_traced_memory()[1] < 500_000
    finally:
        tracemalloc.stop()


def test_a_stop_in_the_middle_of_a_listing_keeps_nobody_waiting(
    store: SQLiteStore, path: Path
) -> None:
    for _ in range(3):
        store.save(a_key(), a_record(), new=True)
    keys = store.keys()
    next(keys)
    with raw(path) as connection:
        busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    assert busy == 0


@pytest.mark.parametrize(
    "content", [b"root:x:0:0:root:/:/bin/sh\n", b"SQLite format 3\0" + bytes(84)]
)
def test_nobody_is_told_to_close_a_file_that_is_no_session_database(
    tmp_path: Path, content: bytes
) -> None:
    """9/1.5: "chmod 600 /etc/passwd"."""
    other = tmp_path / "passwd"
    other.write_bytes(content)
    other.chmod(0o644)
    with pytest.raises(StorageError, match="is not a session database; use another") as caught:
        SQLiteStore(other).count()
    assert "chmod" not in str(caught.value)
    assert os.listdir(tmp_path) == ["passwd"]


def test_a_sweep_is_not_held_up_by_those_who_are_remembered(
    store: SQLiteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 200 that look dead by their time stamps, none was: so the dead behind them stayed."""
    for number in range(300):
        store.save(f"ab{number:062x}", remembered(100 * DAY, NOW - 50 * DAY), new=True)
    for number in range(300, 320):
        store.save(f"ab{number:062x}", a_record(accessed=NOW - 50 * DAY), new=True)
    store.purge_stamp(renew=True)
    monkeypatch.setattr(os, "urandom", lambda size: b"\xab" * size)
    assert store.sweep() == 20
    assert store.count() == 300
