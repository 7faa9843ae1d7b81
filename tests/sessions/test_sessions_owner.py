"""Advice about a store's owner and mode: who reads it follows it, so the tests do, too."""

import os
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from requirement import lack
from sessions.contract import a_key, a_record, data
from sessions.forked import Forked, Line

from cgikit import FileStore, StorageError
from cgikit.sessions.owner import user
from cgikit.sessions.sqlite import SQLiteStore
from cgikit.sessions.store import Store

NOBODY = 65_534
NAMELESS = 54_321  # has no entry in passwd

STORES: dict[str, Callable[[Path], Store]] = {
    "file": lambda place: FileStore(place / "my sessions"),
    "sqlite": lambda place: SQLiteStore(place / "my sessions.db"),
}


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that every user can reach, and nobody but root can write to."""
    if os.geteuid():
        lack("root, to become another user")
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        yield Path(name)


def refused(store: Store, key: str) -> str:
    with pytest.raises(StorageError) as caught:
        store.load(key)
    return str(caught.value)


def as_user(number: int, work: Callable[[], str]) -> str:
    """What `work` returns where it is done by another user."""

    def inside(line: Line) -> None:
        os.setgroups([])
        os.setgid(number)
        os.setuid(number)
        line.tell(work())

    with Forked(inside) as child:
        return child.hear()


@pytest.mark.parametrize("kind", STORES)
@pytest.mark.parametrize("owner", [NOBODY, NAMELESS])
def test_9_1_5_root_is_told_to_become_the_user_and_to_take_nothing(
    place: Path, kind: str, owner: int
) -> None:
    """`chown -R 0`, followed, closed the store to the scripts: every request was a 500."""
    key = a_key()
    STORES[kind](place).save(key, a_record(), new=True)
    for path in [place, *place.rglob("*")]:
        os.chown(path, owner, owner)
    text = refused(STORES[kind](place), key)
    name = user(owner) if owner == NOBODY else f"user {owner}"
    who = user(owner) if owner == NOBODY else f"\\#{owner}"
    assert f"belongs to {name}, but this runs as root; " in text
    assert text.endswith(f"run this as that user: sudo -u {who} COMMAND")
    assert as_user(owner, lambda: str(data(STORES[kind](place).load(key)))) == "1"


@pytest.mark.parametrize("kind", STORES)
def test_9_1_5_a_user_is_told_who_has_it_and_what_root_can_do(place: Path, kind: str) -> None:
    key = a_key()
    STORES[kind](place).save(key, a_record(), new=True)
    text = as_user(NOBODY, lambda: refused(STORES[kind](place), key))
    assert f"belongs to root, but this runs as {user(NOBODY)}; " in text
    command = text.rpartition("have root change its owner: ")[2]
    assert command.startswith(f"chown -hR {user(NOBODY)} '{place}/my sessions")
    os.chown(place, NOBODY, NOBODY)  # which the script can write to, as it must
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert as_user(NOBODY, lambda: str(data(STORES[kind](place).load(key)))) == "1"


def test_9_1_5_nobody_is_told_to_take_a_directory_that_is_no_store(place: Path) -> None:
    (place / "passwd").write_text("")
    text = as_user(NOBODY, lambda: refused(FileStore(place), a_key()))
    assert "does not look like a store of sessions; use a directory of its own" in text
    assert not re.search("chown|chmod", text)


def test_9_1_5_nobody_is_told_to_close_a_directory_that_is_no_store(tmp_path: Path) -> None:
    (tmp_path / "shared document").write_text("")
    tmp_path.chmod(0o777)
    text = refused(FileStore(tmp_path), a_key())
    assert text.endswith("other users can write to it; use a directory of its own")


def test_9_1_5_a_store_that_is_open_is_closed_by_what_is_advised(tmp_path: Path) -> None:
    store, key = FileStore(tmp_path / "my sessions"), a_key()
    store.save(key, a_record(), new=True)
    (tmp_path / "my sessions").chmod(0o775)
    command = refused(store, key).rpartition("close it: ")[2]
    assert subprocess.run(["sh", "-c", command]).returncode == 0
    assert (tmp_path / "my sessions").stat().st_mode & 0o777 == 0o755
    assert store.load(key) is not None


def test_9_1_5_a_database_that_is_open_is_closed_by_what_is_advised(tmp_path: Path) -> None:
    path, key = tmp_path / "my sessions.db", a_key()
    store = SQLiteStore(path)
    store.save(key, a_record(), new=True)
    store.close()
    path.chmod(0o644)
    command = refused(store, key).rpartition("close it: ")[2]
    assert subprocess.run(["sh", "-c", command]).returncode == 0
    assert path.stat().st_mode & 0o777 == 0o600
    assert store.load(key) is not None


def test_users_have_names() -> None:
    assert user(0) == "root"
    assert user(NAMELESS) == f"user {NAMELESS}"
