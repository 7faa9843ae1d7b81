"""How a script is run: warm, or cold and why, with the environment that the allow-list has passed."""

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from cgikit.host.path import Script
from cgikit.warm.launcher import Launcher
from cgikit.warm.program import Program, stamp_of
from cgikit.warm.settings import Settings
from cgikit.warm.staleness import Held

VARIABLES = {"REQUEST_METHOD": "GET", "QUERY_STRING": "one+two"}


class Place:
    """A launcher, what it reports and logs, and a script beside nothing."""

    def __init__(self, root: Path, held: dict[str, Held] | None = None, **settings: Any) -> None:
        self.root = root
        self.reports: list[tuple[Any, ...]] = []
        self.lines: list[str] = []
        made = Settings(root=str(root), protocol="fastcgi", **settings)
        self.launcher = Launcher(made, held or {}, self.reports.append, self.lines.append)

    def script(self, name: str = "a.py", first: str = f"#!{sys.executable}") -> Script:
        """A script with a first line."""
        path = self.root / name
        path.write_text(f"{first}\n")
        path.chmod(0o755)
        return Script(str(path), f"/{name}", "")

    def prepare(
        self, script: Script, **variables: str
    ) -> tuple[Program | None, list[str], dict[str, str]]:
        """Prepare the start of a script."""
        return self.launcher.prepare({**VARIABLES, **variables}, script)


def test_a_python_script_runs_warm_with_its_arguments_and_variables(tmp_path: Path) -> None:
    place = Place(tmp_path)
    script = place.script()
    program, arguments, environ = place.prepare(script)
    assert program is not None
    assert program.file == script.file
    assert arguments == ["one", "two"]
    assert environ["SCRIPT_FILENAME"] == script.file
    assert not place.lines
    assert not place.reports


@pytest.mark.parametrize(
    ("first", "line"),
    [
        ("#!/bin/sh", ""),  # another language needs no reason
        (f"#!{sys.executable} -I", "gives Python the option -I"),
        ("#!/usr/local/other/python3", "its interpreter is /usr/local/other/python3"),
    ],
)
def test_what_cannot_run_warm_is_started_cold_and_the_log_says_why(
    tmp_path: Path, first: str, line: str
) -> None:
    place = Place(tmp_path)
    assert place.prepare(place.script(first=first))[0] is None
    assert [line in found for found in place.lines] == [True] * bool(line)
    assert all("runs in an interpreter of its own" in found for found in place.lines)


def test_a_script_that_is_gone_is_started_cold(tmp_path: Path) -> None:
    place = Place(tmp_path)
    assert place.prepare(Script(str(tmp_path / "gone.py"), "/gone.py", ""))[0] is None


def test_without_warm_nothing_runs_warm(tmp_path: Path) -> None:
    place = Place(tmp_path, warm=False)
    assert place.prepare(place.script())[0] is None
    assert not place.lines


def test_a_module_that_has_changed_is_reported_once_and_all_is_cold(tmp_path: Path) -> None:
    library = tmp_path / "library.py"
    library.write_text("")
    held: dict[str, Held] = {"library": (str(library), stamp_of(library.stat()), False)}
    (tmp_path / "root").mkdir()
    place = Place(tmp_path / "root", held)
    script = place.script()
    assert place.prepare(script)[0] is not None
    library.write_text("changed = 1")
    for _ in range(3):
        assert place.prepare(script)[0] is None
    assert place.reports == [("stale", str(library))]
    library.unlink()
    assert place.prepare(script)[0] is None
    assert len(place.reports) == 1


def test_a_file_that_hides_a_module_makes_its_neighbours_cold(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    library = tmp_path / "json.py"
    library.write_text("")
    held: dict[str, Held] = {"json": (str(library), stamp_of(library.stat()), False)}
    place = Place(tmp_path / "root", held)
    script = place.script()
    (tmp_path / "root" / "json.py").write_text("")
    assert place.prepare(script)[0] is None
    (line,) = place.lines
    assert f"{tmp_path}/root/json.py hides a module" in line


def test_variables_that_an_interpreter_reads_at_its_start_make_a_request_cold(
    tmp_path: Path,
) -> None:
    place = Place(tmp_path, pass_on=["PYTHONPATH", "OTHER"])
    script = place.script()
    assert place.prepare(script, OTHER="1")[0] is not None
    program, _, environ = place.prepare(script, PYTHONPATH="/elsewhere")
    assert program is None
    assert environ["PYTHONPATH"] == "/elsewhere"


def test_variables_that_no_script_gets_are_reported_once(tmp_path: Path) -> None:
    place = Place(tmp_path)
    script = place.script()
    for _ in range(2):
        assert "ODD" not in place.prepare(script, ODD="1")[2]
    assert place.reports == [("dropped", ["ODD"])]


def test_nothing_of_the_peer_replaces_what_all_scripts_get(tmp_path: Path) -> None:
    place = Place(tmp_path, pass_on=["PATH"])
    assert place.launcher.base["PATH"] == os.environ["PATH"]
    assert "PATH" not in place.prepare(place.script(), PATH="/evil")[2]
