"""F: every call that a session in a file makes fails, with every errno that the system may give.

What must hold: the old session or the new one, its lock free, no descriptor left, an error of our own
that names a path of the store; and the visitor's next request succeeds.
"""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from faults.seam import Seam, through
from sessions.visiting import Visitor, put

from cgikit import FileStore, Session, StorageError

ERRNOS = ["ENOSPC", "EDQUOT", "EIO", "EINTR", "EACCES", "EROFS", "ENOLCK", "EMFILE"]


def rotate(session: Session) -> None:
    session["n"] = 2
    session.rotate()


def delete(session: Session) -> None:
    session.destroy()


#: What a request does with the session, and what `n` may be afterwards, for the cookie it ends with.
ACTIONS: dict[str, tuple[Callable[[Session], object], set[object]]] = {
    "look": (lambda session: session["n"], {1}),
    "change": (put("n", 2), {1, 2}),
    "rotate": (rotate, {1, 2}),
    "destroy": (delete, {1, None}),
}


def descriptors() -> list[str]:
    return os.listdir("/proc/self/fd")


def prepared(directory: Path) -> Visitor:
    visitor = Visitor(FileStore(directory, lock_timeout=0, sweep_chance=0))
    visitor.visit(put("n", 1))
    return visitor


def attempt(visitor: Visitor, seam: Seam, action: Callable[[Session], object]) -> str:
    """Make a request through the seam; what our own error says, "" if there is none."""
    with through(seam):
        try:
            visitor.visit(action)
        except StorageError as error:
            return str(error)
    return ""


@pytest.mark.parametrize("number", ERRNOS)
@pytest.mark.parametrize("name", ACTIONS)
def test_f_every_call_of_a_request_fails(tmp_path: Path, name: str, number: str) -> None:
    action, allowed = ACTIONS[name]
    record = Seam()
    assert attempt(prepared(tmp_path / "record"), record, action) == ""
    assert len(record.made) > 5
    failed = 0
    for at, call in enumerate(record.made):
        directory = tmp_path / f"{at}"
        visitor = prepared(directory)
        before = descriptors()
        error = attempt(visitor, Seam(at, getattr(errno, number)), action)
        where = f"{number} at {call}, call {at} of {record.made}: {error}"
        assert descriptors() == before, where
        failed += bool(error)
        assert not error or str(directory) in error, where
        again = Visitor(visitor.store, visitor.cookie)
        assert again.visit(lambda session: session.get("n")) in allowed, where  # the lock is free
        again.visit(put("n", 3))
        assert again.visit(lambda session: session["n"]) == 3, where
    assert failed > 3


@pytest.mark.parametrize("number", ERRNOS)
def test_f_every_call_of_a_first_visit_fails(tmp_path: Path, number: str) -> None:
    def visitor(name: str) -> Visitor:
        return Visitor(FileStore(tmp_path / name, lock_timeout=0, sweep_chance=0))

    record = Seam()
    assert attempt(visitor("record"), record, put("n", 1)) == ""
    failed = 0
    for at, call in enumerate(record.made):
        new = visitor(str(at))
        before = descriptors()
        error = attempt(new, Seam(at, getattr(errno, number)), put("n", 1))
        where = f"{number} at {call}, call {at} of {record.made}: {error}"
        assert descriptors() == before, where
        failed += bool(error)
        assert not error or str(tmp_path) in error, where
        assert bool(new.cookie) is not bool(error), (
            where
        )  # no cookie of a session that is not there
        new.visit(put("n", 2))
        assert new.visit(lambda session: session["n"]) == 2, where
    assert failed > 3
