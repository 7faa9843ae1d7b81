"""The kind: what a process holds open is moved away, deleted or restored by a person, and it goes on.

Whatever a store's method does, it does where the name leads now: in a new place, if the old one has
gone. One test for each store on files and each method that `Store` has; a new method fails it until it
is in the table.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from sessions.contract import NOW, a_key, a_record, data

from cgikit import FileStore
from cgikit.sessions.sqlite import SQLiteStore
from cgikit.sessions.store import Store

KEY = a_key()


def locked(store: Store) -> None:
    with store.lock(KEY, 0) as record:
        assert record is None


def saved(store: Store) -> None:
    store.save(KEY, a_record("after"), new=True)


#: What each method is called with.
CALLS: dict[str, Callable[[Store], object]] = {
    "count": lambda store: store.count(),
    "delete": lambda store: store.delete(KEY),
    "keys": lambda store: list(store.keys()),
    "load": lambda store: store.load(KEY),
    "lock": locked,
    "may_purge": lambda store: store.may_purge(NOW),
    "purge": lambda store: store.purge(NOW),
    "records": lambda store: list(store.records()),
    "purge_one": lambda store: store.purge_one(KEY, NOW),
    "purge_stamp": lambda store: store.purge_stamp(renew=True),
    "save": saved,
    "set_aside": lambda store: store.set_aside(KEY, "a test"),
    "sweep": lambda store: store.sweep(),
    "sync": lambda store: store.sync(KEY),
    "touch": lambda store: store.touch(KEY, NOW),
}
#: Methods that use no place at all.
PURE = {
    "clamped",
    "cookie_name",
    "cookie_names",
    "end",
    "is_live",
    "is_suspect",
    "latest",
    "mended",
    "place",
}


def test_every_method_of_a_store_is_called() -> None:
    public = {name for name, value in vars(Store).items() if callable(value) and name[0] != "_"}
    assert public == set(CALLS) | PURE


@pytest.fixture(params=["file", "sqlite"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Callable[[], Store], list[Path]]:
    """How a store is opened, and the files and directories that it consists of."""
    if request.param == "file":
        directory = tmp_path / "data" / "sessions"
        return (lambda: FileStore(directory, sweep_chance=0)), [directory]
    path = tmp_path / "data" / "sessions.db"
    rest = [Path(f"{path}{end}") for end in ("-wal", "-shm", "-locks")]
    return (lambda: SQLiteStore(path, sweep_chance=0)), [path, *rest]


def moved(paths: list[Path], to: Path) -> None:
    to.mkdir()
    for path in paths:
        path.rename(to / path.name)


def deleted(paths: list[Path], to: Path) -> None:
    shutil.rmtree(paths[0].parent)


@pytest.mark.parametrize("how", [moved, deleted])
@pytest.mark.parametrize("method", CALLS)
def test_9_2_6_a_store_that_has_gone_is_made_anew_by_every_method(
    place: tuple[Callable[[], Store], list[Path]],
    tmp_path: Path,
    method: str,
    how: Callable[[list[Path], Path], None],
) -> None:
    opener, paths = place
    worker = opener()
    worker.save(KEY, a_record("before"), new=True)
    how(paths, tmp_path / "away")
    CALLS[method](worker)
    other = opener()  # a process that started after it
    record = other.load(KEY)
    assert (record and data(record)) == ("after" if method == "save" else None)
    key = a_key()
    worker.save(key, a_record("new visitor"), new=True)
    assert data(other.load(key)) == "new visitor"
    other_key = a_key()
    other.save(other_key, a_record("another"), new=True)
    assert data(worker.load(other_key)) == "another"
    if how is moved:  # and there it is as it was
        for path in (tmp_path / "away").iterdir():
            os.replace(path, tmp_path / path.name)
        lone = len(paths) == 1
        kept = FileStore(tmp_path / "sessions") if lone else SQLiteStore(tmp_path / "sessions.db")
        assert data(kept.load(KEY)) == "before"
        assert kept.count() == 1
