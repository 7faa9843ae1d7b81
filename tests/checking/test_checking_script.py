"""One script with all that is wrong with it, and which files of a directory are scripts."""

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from cgikit.checking import script
from cgikit.checking.account import Account

ME = Account.current()
PATH = "/usr/bin:/bin"


def write(file: Path, text: str, mode: int = 0o755) -> str:
    file.write_text(text)
    file.chmod(mode)
    return str(file)


def test_errors_come_before_advice(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "email.py").write_text("")
    file = write(tmp_path / "a.py", f"#!{sys.executable}\nimport nosuch\n", 0o775)
    found = script.check_script(file, ME, PATH)
    assert [each.is_error for each in found] == sorted((e.is_error for e in found), reverse=True)
    assert {each.kind for each in found} == {
        "module-missing",
        "module-shadows",
        "writable-by-others",
    }


def test_a_script_that_is_not_there_is_one_finding(tmp_path: Path) -> None:
    assert [e.kind for e in script.check_script(str(tmp_path / "a"), ME, PATH)] == ["missing"]


def test_which_files_are_scripts(tmp_path: Path) -> None:
    (tmp_path / "sub" / ".git").mkdir(parents=True)
    (tmp_path / "__pycache__").mkdir()
    expected = [
        write(tmp_path / "a.py", "print()"),
        write(tmp_path / "b.pl", "#!/usr/bin/perl\n", 0o644),
        write(tmp_path / "sub" / "c.sh", "#!/bin/sh\n"),
    ]
    for name in ("module.py", "sub/data.txt"):
        write(tmp_path / name, "x", 0o644)
    for name in (".hidden", "sub/.git/hook", "__pycache__/x"):
        write(tmp_path / name, "#!/bin/sh\n")
    os.mkfifo(tmp_path / "fifo", 0o755)
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "nowhere").symlink_to(tmp_path / "none")
    assert script.scripts(str(tmp_path)) == expected


def test_what_an_upload_made_executable_is_no_script(tmp_path: Path) -> None:
    for name in ("style.css", "LOGO.PNG", "notes.txt"):
        write(tmp_path / name, "x")
    scripts = [write(tmp_path / name, "x") for name in ("a.cgi", "b", "c.py")]
    scripts.append(write(tmp_path / "d.html", "#!/bin/sh\n"))
    assert script.scripts(str(tmp_path)) == scripts


def test_a_directory_of_many_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(script, "MAX_SCRIPTS", 3)
    for number in range(5):
        write(tmp_path / f"{number}.py", "")
    assert len(script.scripts(str(tmp_path))) == 3


def test_no_directory_is_entered_too_deeply(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On Python 3.11, `os.walk` raised RecursionError a thousand directories down."""
    monkeypatch.setattr(script, "MAX_DEPTH", 2)
    files = []
    for depth in range(5):
        place = tmp_path.joinpath(*["d"] * depth)
        place.mkdir(exist_ok=True)
        files.append(write(place / "a.py", "#!/bin/sh\n"))
    assert script.scripts(str(tmp_path)) == files[:3]


def test_a_directory_that_is_not_there() -> None:
    with pytest.raises(FileNotFoundError):
        script.scripts("/no/such/directory")


def planted(directory: Path) -> str:
    """Return a script whose interpreter, beside it, notes who runs it."""
    program = directory / "python-own"
    program.write_text(f"#!/bin/sh\nid -u >>{directory}/ran\nexit 1\n")
    program.chmod(0o755)
    return write(directory / "a.py", f"#!{program}\n")


def test_a_program_beside_the_script_is_not_run_unless_the_script_may_be(tmp_path: Path) -> None:
    file = planted(tmp_path)
    kinds = [each.kind for each in script.check_script(file, ME, PATH)]
    assert "interpreter-not-asked" in kinds
    assert not (tmp_path / "ran").exists()
    assert "interpreter-not-asked" not in [
        each.kind for each in script.check_script(file, ME, PATH, may_run=True)
    ]
    assert (tmp_path / "ran").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can check as another user")
@pytest.mark.parametrize("may_run", [False, True])
def test_root_runs_no_program_that_another_user_chose_as_root(may_run: bool) -> None:
    """One that failed for its user was run once more, by root."""
    with TemporaryDirectory(dir="/tmp") as name:
        place = Path(name)
        place.chmod(0o777)
        script.check_script(planted(place), Account.named("nobody"), PATH, may_run=may_run)
        ran = (place / "ran").read_text().split() if (place / "ran").exists() else []
        assert ran == [str(Account.named("nobody").uid)] * may_run


def test_without_time_no_source_is_looked_at(tmp_path: Path) -> None:
    file = write(tmp_path / "a.py", f"#!{sys.executable}\nimport nosuch\n")
    kinds = [each.kind for each in script.check_script(file, ME, PATH, seconds=0)]
    assert "not-asked" in kinds
    assert "module-missing" not in kinds
