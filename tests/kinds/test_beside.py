"""The kind: a name of ours beside a person's files. What a person has put there is never harmed.

`atomic_write("menu.txt")` deleted a person's `menu.txt.new`, taking it for the orphan of a killed
writer; `append_line("poetry")` emptied `poetry.lock`. Every place that makes a name for a file out of
another one is listed here, with what keeps it off the files of others; a new one fails until it is.
"""

import ast
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import house
import pytest

from cgikit import (
    Counter,
    Counters,
    ExpiringCounters,
    SQLiteStore,
    StorageError,
    Upload,
    append_line,
    atomic_write,
    lock,
    take_lines,
    update_json,
)

OURS = "in a directory that only this store's user can enter, and that holds nothing else"
#: Function, and what it adds to a name: why nobody's file is harmed.
PLACES = {
    ("files.temporary_name", ".cgikit-new"): "reserved: nobody gives a file of his own this name",
    ("logfile._put_aside", ".cgikit-old"): "reserved: nobody gives a file of his own this name",
    ("lines._settled_ending", ".lock"): "it is only locked and read",
    (
        "locks._LockBeside.__init__",
        ".lock",
    ): "one with something in it is refused, before any write",
    ("sessions.file.FileStore.save", ".new"): OURS,
    ("sessions.file.FileStore.set_aside", ".corrupt-"): OURS + "; and by chance",
    ("sessions.file.FileStore._purge_shard", ".new"): OURS,
    (
        "sessions.sqlite.SQLiteStore",
        "-locks",
    ): "a directory; one of others, or open to them, is refused",
    ("sessions.sqlite.SQLiteStore", "-locks/make"): OURS,
    ("sessions.sqlite.SQLiteStore", "-locks/new.db"): OURS,
    ("sessions.sqlite.SQLiteStore", "-wal"): "SQLite's own; looked at before, and set aside",
    ("sessions.sqlite.SQLiteStore", "-shm"): "SQLite's own; looked at before, and set aside",
    ("sessions.sqlite.SQLiteStore", "-journal"): "SQLite's own; looked at before, and set aside",
    ("sessions.sqlitelock", "-locks/"): OURS,
    (
        "sessions.sqlite",
        ".left-",
    ): "by chance; what belonged to a database that is gone is moved there",
    ("upload.Upload", ".waiting"): "only looks which name it has made",
    (
        "upload._clear_orphans",
        ".waiting",
    ): '"." and 24 digits before it; unlocked, and of this user',
    ("upload._new_name", ".waiting"): "O_EXCL, and 96 bits of chance",
}
ROOMS = {
    "counters",
    "expiring",
    "files",
    "jsonfile",
    "lines",
    "locks",
    "logfile",
    "sessions",
    "upload",
}
ENDING = re.compile(r"[.-][a-z][\w./-]*")


def endings(module: house.Module) -> Iterator[tuple[str, str]]:
    """Everything that is added to a text, or asked for at its end, and looks like the end of a name."""
    constants = {
        node.targets[0].id: node.value
        for node in module.tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    for place, node in house.nodes(module.tree, module.name):
        added: list[ast.expr] = []
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            added = [node.right]
        elif isinstance(node, ast.JoinedStr):
            added = [
                part.value if isinstance(part, ast.FormattedValue) else part for part in node.values
            ]
        elif isinstance(node, ast.Call) and house.called(node) == "endswith":
            added = node.args
        for part in added:
            if isinstance(part, ast.Name):
                part = constants.get(part.id, part)
            text = part.value if isinstance(part, ast.Constant) else None
            if isinstance(text, str) and ENDING.fullmatch(text):
                yield place, text


def found() -> set[tuple[str, str]]:
    modules = [module for module in house.read() if house.room(module.name) in ROOMS]
    pairs = {pair for module in modules for pair in endings(module)}
    return {(short(place, text), text) for place, text in pairs}


def short(place: str, text: str) -> str:
    """The longest part of a place that is in the table."""
    while (place, text) not in PLACES and "." in place:
        longer, place = place, place.rpartition(".")[0]
        if "." not in place:
            return longer
    return place


def test_every_name_that_is_made_of_another_is_in_the_table() -> None:
    assert found() - set(PLACES) == set()


@pytest.mark.parametrize(
    "source",
    [
        "def f(path): os.unlink(path + '.old')",
        "def f(path): open(f'{path}.tmp', 'w')",
        "def f(path): open(f'{path}-backup', 'w')",
        "END = '.part'\ndef f(path): open(path + END, 'w')",
        "END = '.part'\ndef f(path): open(f'{path}{END}', 'w')",
    ],
)
def test_a_new_name_is_seen(source: str) -> None:
    assert len(list(endings(house.Module("m", source)))) == 1


@pytest.mark.parametrize("source", ["x = a + '. '", "x = f'{a}, b'", "x = f'{a}.'", "x = 1 + 2"])
def test_a_sentence_is_no_name(source: str) -> None:
    assert list(endings(house.Module("m", source))) == []


# --- each writer, beside files of a person ----------------------------------------------------


def update(path: Path) -> None:
    with update_json(path) as value:
        value["a"] = 1


def take(path: Path) -> None:
    append_line(path, "x")
    with take_lines(path):
        pass


def hold(path: Path) -> None:
    with lock(path):
        pass


def keep(path: Path) -> None:
    upload = Upload("a", "", str(path.parent))
    upload.write(b"x" * 100_000)
    upload.save(path)
    upload.close()


def sessions(path: Path) -> None:
    path.parent.chmod(0o700)
    with_store = SQLiteStore(path)
    with_store.count()
    with_store.purge(force=True)
    with_store.close()


WRITERS: dict[str, Callable[[Path], object]] = {
    "atomic_write": lambda path: atomic_write(path, "x"),
    "append_line": lambda path: append_line(path, "x"),
    "append_line, long": lambda path: append_line(path, "x" * 10_000),
    "take_lines": take,
    "update_json": update,
    "Counter": lambda path: Counter(path).increment(),
    "Counter, hot": lambda path: Counter(path, hot=True).increment(),
    "Counters": lambda path: Counters(path)["a"].increment(),
    "ExpiringCounters": lambda path: ExpiringCounters(path, 9)["a"].increment(),
    "lock": hold,
    "Upload.save": keep,
    "SQLiteStore": sessions,
}
#: Names that people give to files beside one that is called "menu".
BESIDE = (
    *("menu.new", "menu.old", "menu.bak", "menu.tmp", "menu~", ".menu.swp", "#menu#", "menu.json"),
    *("menu.orig", "menu.part", "menu.waiting", "menu.corrupt", "menu.lck", "menu.pid", "lock"),
)


@pytest.mark.parametrize("name", WRITERS)
def test_what_a_person_has_beside_a_file_stays_as_it_is(tmp_path: Path, name: str) -> None:
    for each in BESIDE:
        (tmp_path / each).write_text(f"a person's {each}")
    for _ in range(2):
        path = tmp_path / "menu"
        WRITERS[name](path)
        if name == "Upload.save":
            path.unlink()
    assert {each: (tmp_path / each).read_text() for each in BESIDE} == {
        each: f"a person's {each}" for each in BESIDE
    }


@pytest.mark.parametrize(
    "name", sorted(set(WRITERS) - {"atomic_write", "Upload.save", "SQLiteStore"})
)
def test_a_person_s_lock_file_stays_as_it_is(tmp_path: Path, name: str) -> None:
    own = tmp_path / "menu.lock"
    own.write_text("[[package]]\n")
    with pytest.raises(StorageError, match="is not a lock file of cgikit"):
        WRITERS[name](tmp_path / "menu")
    assert own.read_text() == "[[package]]\n"
    assert os.listdir(tmp_path) == ["menu.lock"]
