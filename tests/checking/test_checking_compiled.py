"""Modules that are compiled at each request, because the script's user cannot keep the result."""

import py_compile
import sys
from pathlib import Path

import pytest

from cgikit.checking.account import Account
from cgikit.checking.compiled import check_compiled
from cgikit.checking.finding import Finding
from cgikit.checking.interpreter import ask

STRANGER = Account("stranger", 54_321, 54_321, frozenset({54_321}))


def check(place: Path, user: Account = STRANGER) -> list[Finding]:
    file = place / "a.py"
    file.write_text(f"#!{sys.executable}\nimport json\nimport own\nimport package\n")
    told = ask(str(file), "/usr/bin:/bin", Account.current(), 60)
    assert told is not None
    return check_compiled(str(file), told, user)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    tmp_path.chmod(0o755)
    (tmp_path / "own.py").write_text("X = 1\n")
    (tmp_path / "package").mkdir(mode=0o755)
    (tmp_path / "package" / "__init__.py").write_text("")
    return tmp_path


def test_modules_that_cannot_be_kept_compiled_are_named(place: Path) -> None:
    (found,) = check(place)
    assert (found.kind, found.is_error) == ("not-compiled", False)
    assert "compiles own, package at each request: stranger cannot write to" in found.what
    assert f"-m compileall -q {place}/own.py {place}/package  (" in found.fix


def test_who_can_write_there_keeps_them(place: Path) -> None:
    assert check(place, Account.current()) == []
    place.chmod(0o777)
    (found,) = check(place)
    assert "compiles package at each request" in found.what
    (place / "__pycache__").mkdir(mode=0o755)
    (found,) = check(place)
    assert "compiles own, package at each request" in found.what
    assert f"cannot write to {place}/__pycache__" in found.what


@pytest.mark.parametrize("by", list(py_compile.PycInvalidationMode))
def test_what_is_compiled_is_no_finding(place: Path, by: py_compile.PycInvalidationMode) -> None:
    for source in (place / "own.py", place / "package" / "__init__.py"):
        py_compile.compile(str(source), invalidation_mode=by)
    assert check(place) == []


def test_an_old_compiled_file_is_none(place: Path) -> None:
    timestamp = py_compile.PycInvalidationMode.TIMESTAMP
    for source in (place / "own.py", place / "package" / "__init__.py"):
        py_compile.compile(str(source), invalidation_mode=timestamp)
    (place / "own.py").write_text("X = 1_000\n")
    (found,) = check(place)
    assert "compiles own at each request" in found.what
