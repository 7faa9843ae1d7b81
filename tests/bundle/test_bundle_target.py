"""The Python of the host is found by its version or its path, or is known to be missing."""

import os
import sys
from pathlib import Path

import pytest
from nobody import forked_as_nobody

from cgikit.bundle.target import target
from cgikit.errors import StorageError

OWN = f"{sys.version_info[0]}.{sys.version_info[1]}"


@pytest.mark.parametrize("wanted", ["", OWN, sys.executable])
def test_this_python_is_found(wanted: str) -> None:
    found = target(wanted)
    assert (found.version, found.tag) == (OWN, sys.implementation.cache_tag)
    assert found.compile({"modules": [["m", "m.py", "x = 1\n"]]})["m"]


def test_a_version_that_is_not_here_compiles_nothing() -> None:
    found = target("3.99")
    assert (found.version, found.python) == ("3.99", "")
    assert found.compile({"modules": [["m", "m.py", "x = 1\n"]]}) == {}


def test_interpreters_that_this_user_cannot_see_are_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PYENV_ROOT was that of root, and the command ended with a `PermissionError`."""
    closed = tmp_path / "pyenv"
    (closed / "versions").mkdir(parents=True)
    closed.chmod(0)
    monkeypatch.setenv("PYENV_ROOT", str(closed))
    try:
        if os.geteuid() == 0:
            assert forked_as_nobody("/", "target('3.99')", {"target": target}) == "done"
        else:
            assert target("3.99").python == ""
    finally:
        closed.chmod(0o700)


@pytest.mark.parametrize(
    "wanted", ["2.7", "3.10", "999999.1", "3.9999", "three", "/bin/true", "/nowhere"]
)
def test_anything_else_is_refused(wanted: str) -> None:
    with pytest.raises(ValueError, match="--python"):
        target(wanted)


def test_a_source_that_it_cannot_compile_is_an_error() -> None:
    with pytest.raises(SyntaxError, match=OWN):
        target().compile({"modules": [["m", "m.py", "x = = 1\n"]]})


def test_an_interpreter_that_is_gone_is_an_error() -> None:
    found = target()
    found.python = "/nowhere/python3"
    with pytest.raises(StorageError, match="/nowhere/python3"):
        found.compile({})
