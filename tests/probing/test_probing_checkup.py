"""One script is looked at, mended, and run."""

import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from cgikit.checking.mending import Mend, Tree
from cgikit.probing import checkup
from cgikit.probing.checkup import Checks, mend

FINE = f'#!{sys.executable}\nprint("Content-Type: text/plain; charset=utf-8\\n")\n'


def write(place: Path, source: str, mode: int = 0o755) -> str:
    file = place / "a.py"
    file.write_text(source)
    file.chmod(mode)
    return str(file)


def test_a_script_is_run_for_each_method_after_it_was_announced(tmp_path: Path) -> None:
    said: list[str] = []
    checks = Checks(announce=lambda file, account, why: said.append(file))
    file = write(tmp_path, FINE)
    found = checks.examine(file, may_run=True)
    assert found.findings == []
    assert [sample.method for sample in found.samples] == ["GET", "HEAD"]
    assert said == [file]
    assert checks.examine(file, may_run=False).samples == []
    assert said == [file]


def test_one_with_an_error_is_not_run(tmp_path: Path) -> None:
    found = Checks().examine(write(tmp_path, FINE + "(\n"), may_run=True)
    assert [each.kind for each in found.findings] == ["syntax-error"]
    assert found.samples == []


def test_the_same_is_said_once(tmp_path: Path) -> None:
    file = write(tmp_path, f"#!{sys.executable}\nprint('Hi')\n")
    found = Checks().examine(file, may_run=True)
    assert [each.kind for each in found.findings] == ["output-before-header"]


def test_without_time_it_is_not_run_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkup, "SECONDS", 0.0)
    found = Checks().examine(write(tmp_path, FINE), may_run=True)
    assert [each.kind for each in found.findings] == ["not-asked", "not-run"]
    assert found.samples == []


@pytest.mark.parametrize(("waiting", "share"), [(1, 1), (2, 2), (3, 3), (50, 3)])
def test_a_script_gets_its_share_of_the_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, waiting: int, share: int
) -> None:
    """One that does not end took all of a tree's time."""
    given: list[float] = []

    def run_sample(
        file: str, method: str, user: object, seconds: float, path: str, *, imports: bool
    ) -> None:
        given.append(seconds)
        raise OSError(8, "Exec format error")

    monkeypatch.setattr(checkup, "ONE_RUN", 10_000.0)
    monkeypatch.setattr(checkup, "SECONDS", 6_000.0)
    monkeypatch.setattr(checkup, "run_sample", run_sample)
    checks = Checks()
    checks.begin(waiting)
    checks.run(checks.look(write(tmp_path, FINE), may_run=True))
    (seconds,) = given
    assert 6_000 / share - 500 < seconds <= 6_000 / share


def test_what_cannot_be_started_is_a_finding(tmp_path: Path) -> None:
    (tmp_path / "program").write_bytes(b"\x7fELF nothing that runs")
    (tmp_path / "program").chmod(0o755)
    found = Checks().examine(str(tmp_path / "program"), may_run=True)
    assert [each.kind for each in found.findings] == ["not-started"]


def test_only_what_is_agreed_to_is_mended(tmp_path: Path) -> None:
    file = write(tmp_path, FINE.replace("\n", "\r\n"), 0o644)
    tree = Tree(file)
    found = Checks().examine(file, may_run=False)
    asked: list[Mend] = []

    def agrees(change: Mend) -> bool:
        asked.append(change)
        return change.kind == "not-executable"

    assert mend(found, [], tree, agrees, lambda *_: None)
    assert sorted(each.kind for each in asked) == ["not-executable", "windows-line-ends"]
    assert found.mended == [(file, "chmod a+rx")]
    assert b"\r" in Path(file).read_bytes()


def test_what_is_refused_goes_to_the_caller(tmp_path: Path) -> None:
    file = write(tmp_path, FINE, 0o644)
    os.link(file, tmp_path / "other")
    said: list[str] = []
    found = Checks().examine(file, may_run=False)
    assert not mend(found, [], Tree(file), lambda _: True, lambda _, why: said.append(why))
    assert said == ["it has 2 names, and may be another file as well"]
    assert found.mended == []


def test_what_the_runs_took_is_told(tmp_path: Path) -> None:
    found = Checks().examine(write(tmp_path, f"{FINE}import json\n"), may_run=True)
    assert found.measures().startswith("GET ")
    assert "; HEAD " in found.measures()
    assert "imports: json " in found.measures()
    told = found.as_dict()
    assert [each["method"] for each in told["runs"]] == ["GET", "HEAD"]  # type: ignore[index,attr-defined]
    assert [each["name"] for each in told["imports"]] == ["json"]  # type: ignore[index,attr-defined]
    assert Checks().examine(found.file, may_run=False).measures() == ""


def test_while_somebody_is_asked_no_time_passes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who took 30 seconds to answer was told that no time was left."""
    now = 0.0
    monkeypatch.setattr(checkup, "time", SimpleNamespace(monotonic=lambda: now))
    checks = Checks()
    with checks.paused():
        now = 3_600.0
    assert checks._deadline - now == checkup.SECONDS
