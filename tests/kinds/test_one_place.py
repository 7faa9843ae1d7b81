"""What is hard to get right stands in one place: waiting, writing all of it, locking.

A second loop that waits forgets the deadline, a second one that writes takes half for all. The table
names the one place of each kind, and those that must differ, with the reason; a new one fails here.
"""

import ast
from collections.abc import Iterator

import house
import pytest

#: The rooms that this is said of. The servers wait in event loops of their own.
ROOMS = {
    "body", "counters", "expiring", "filebody", "files", "jsonfile", "lines", "locks", "logfile",
    "obstacle", "process", "regularfile", "sessions", "upload", "waiting",
}  # fmt: skip

PLACES = {
    ("sleep", "waiting.wait_for"): "the one place",
    ("flock", "locks.try_lock"): "the one place",
    ("flock", "logfile._put_aside"): "it never waits: another process puts the file aside then",
    ("flock", "sessions.sessionfile._flock"): "`locks` costs a session that nobody waits for more",
    ("flock", "sessions.sessionfile._unlock"): "a child that lives on must not keep the lock",
    ("flock", "upload._clear"): "a file system that cannot lock is no error here",
    ("flock", "upload._hold"): "a file system that cannot lock is no error here",
    ("write", "regularfile.write_all"): "the one place",
    ("pwrite", "regularfile.write_all"): "the one place",
    ("write", "process.answer_exhausted"): "a short page, once, where nothing can be imported",
    ("write", "lines._append"): "its rest is written by `write_all`",
    ("pwrite", "lines._note"): "one that does not fit is no note",
}
CALLS = {
    "fcntl.flock": "flock",
    "os.pwrite": "pwrite",
    "os.write": "write",
    "sleep": "sleep",
    "time.sleep": "sleep",
}


def found(module: house.Module) -> Iterator[tuple[str, str]]:
    """Every call of such a kind, and where it is."""
    for place, node in house.nodes(module.tree, module.name):
        if isinstance(node, ast.Call) and (kind := CALLS.get(house.written(node.func))):
            yield kind, place


def test_each_of_them_is_in_one_place() -> None:
    modules = [module for module in house.read() if module.name.split(".")[0] in ROOMS]
    assert {place for module in modules for place in found(module)} == set(PLACES)


#: Of the whole library: what a process asks itself before it ends at once, and who may read what is
#: left of a body.
WHOLE = {
    "must_finalize": {"leaving.may_end"},
    "may_end": {"leaving.leave_script", "warm.interpreter.finish"},
    "flush_c": {"leaving.may_end"},
    "_ncallbacks": {"process.exit_handlers"},
    "_MAX_DRAINED": {"process", "process.drain"},
}


def named(module: house.Module) -> Iterator[tuple[str, str]]:
    """Every use of such a name, and where it is."""
    for place, node in house.nodes(module.tree, module.name):
        name = getattr(node, "id", None) or getattr(node, "attr", None)
        if isinstance(node, ast.Constant):
            name = node.value
        if name in WHOLE:
            yield str(name), place


def test_scripts_and_warm_children_end_under_the_same_conditions() -> None:
    """They were written twice; one of them asked `atexit._ncallbacks`, which a Python may not have."""
    places: dict[str, set[str]] = {}
    for module in house.read():
        for name, place in named(module):
            places.setdefault(name, set()).add(place)
    assert places == WHOLE


@pytest.mark.parametrize(
    "source", ["def f(): leaving.must_finalize()", "def f(): getattr(atexit, '_ncallbacks')()"]
)
def test_another_place_that_asks_is_found(source: str) -> None:
    assert [place for _, place in named(house.Module("m", source))] == ["m.f"]


@pytest.mark.parametrize(
    "source",
    [
        "def f(): sleep(1)",
        "def f(): time.sleep(1)",
        "def f(): fcntl.flock(fd, LOCK_EX | LOCK_NB)",
        "def f():\n while data: data = data[os.write(fd, data):]",
        "def f(): os.pwrite(fd, data, 0)",
    ],
)
def test_another_place_is_found(source: str) -> None:
    assert [place for _, place in found(house.Module("files", source))] == ["files.f"]
