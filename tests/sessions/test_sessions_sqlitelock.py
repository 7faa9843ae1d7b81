"""The locks of SQLiteStore when a person tidies their files up, as the directory's name invites to."""

import os
import shutil
from pathlib import Path

import pytest
from sessions.contract import NOW, a_key, a_record, data
from sessions.forked import Forked, Line
from sessions.visiting import Clock, Visitor, put

from cgikit import LockTimeout, StorageError
from cgikit.sessions.sqlite import SQLiteStore
from cgikit.sessions.sqlitelock import give, take


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sessions.db"


@pytest.fixture
def locks(path: Path) -> Path:
    return Path(f"{path}-locks")


@pytest.fixture
def store(path: Path) -> SQLiteStore:
    return SQLiteStore(path, clock=Clock(NOW), sweep_chance=0)


def test_9_2_6_a_directory_of_locks_that_was_removed_is_made_again(
    store: SQLiteStore, locks: Path
) -> None:
    visitor = Visitor(store)
    visitor.visit(put("n", 1))
    shutil.rmtree(locks)
    assert visitor.visit(dict) == {"n": 1}
    assert locks.stat().st_mode & 0o777 == 0o700
    shutil.rmtree(locks)
    visitor.visit(put("n", 2))
    shutil.rmtree(locks)
    assert store.purge(force=True) == 0
    assert visitor.visit(dict) == {"n": 2}


def test_9_2_6_a_lock_that_was_removed_is_taken_again_before_saving(
    store: SQLiteStore, path: Path, locks: Path
) -> None:
    """Else another request of the visitor is in, and one of the two changes is lost."""
    key = a_key()
    store.save(key, a_record("old"), new=True)
    with store.lock(key, 5):
        shutil.rmtree(locks)
        store.save(key, a_record("new"))
    assert data(store.load(key)) == "new"
    assert list(locks.iterdir()) == []


@pytest.mark.parametrize("how", ["save", "delete"])
def test_9_2_6_whoever_comes_in_by_a_removal_is_not_overwritten(
    store: SQLiteStore, path: Path, locks: Path, how: str
) -> None:
    key = a_key()
    store.save(key, a_record("old"), new=True)

    def second(line: Line) -> None:
        mine = SQLiteStore(path, clock=Clock(NOW))
        with mine.lock(key, 30):
            line.tell("in")
            line.hear()
            mine.save(key, a_record("second"))

    with store.lock(key, 0.1) as record:
        assert data(record) == "old"
        shutil.rmtree(locks)
        with Forked(second) as child:
            assert child.hear() == "in"
            with pytest.raises(LockTimeout):
                store.save(key, a_record("first")) if how == "save" else store.delete(key)
            child.tell("go on")
        with pytest.raises(LockTimeout):
            store.save(key, a_record("first")) if how == "save" else store.delete(key)
    assert data(store.load(key)) == "second"
    assert list(locks.iterdir()) == []


def test_9_2_6_a_lock_of_another_is_not_deleted_by_whoever_lost_his(tmp_path: Path) -> None:
    name = str(tmp_path / "lock")
    mine = take(name)
    assert mine is not None
    os.unlink(name)
    other = take(name)
    assert other is not None
    give(name, mine)
    assert os.path.samestat(os.stat(name), os.fstat(other))
    assert take(name) is None
    give(name, other)
    assert not os.path.exists(name)


def test_what_takes_the_place_of_the_locks_is_refused(store: SQLiteStore, locks: Path) -> None:
    key = a_key()
    store.save(key, a_record(), new=True)
    shutil.rmtree(locks)
    locks.write_text("")
    with pytest.raises(StorageError, match=f"{locks}"), store.lock(key, 0):
        pass
    locks.unlink()
    locks.mkdir(0o700)
    with store.lock(key, 0) as record:
        assert record is not None
