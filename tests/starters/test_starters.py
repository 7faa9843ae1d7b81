"""Scripts to begin with: each runs, passes its tests, and is what people may copy."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cgikit import starters
from cgikit.starters import KINDS, make
from cgikit.testing import Client

ROOT = Path(__file__).parents[2]


def made(place: Path, kind: str, name: str = "my-own_thing") -> Path:
    make(str(place / name), kind, sys.executable)
    return place / name


@pytest.mark.parametrize("kind", KINDS)
def test_its_tests_pass_and_leave_nothing(tmp_path: Path, kind: str) -> None:
    place = made(tmp_path, kind)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "."],
        cwd=place,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    found = sorted(str(path.relative_to(place)) for path in place.rglob("*") if path.is_file())
    assert found == ["cgi-bin/my-own_thing.py", "data/.htaccess", "test_my_own_thing.py"]


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_clean_for_linters_and_type_checkers(tmp_path: Path, kind: str) -> None:
    place = made(tmp_path, kind)
    rules = "--select=E,F,B,C4,SIM,UP,S,D1", "--ignore=S101,S106", "--line-length=104"
    scripts = place / "cgi-bin" / "my-own_thing.py", place / "test_my_own_thing.py"
    for command in (
        ["ruff", "check", "--isolated", *rules, scripts[0]],
        ["ruff", "format", "--isolated", "--check", "--line-length=100", *scripts],
        ["mypy", "--strict", "--cache-dir", tmp_path / "cache", scripts[0]],
    ):
        done = subprocess.run(
            [sys.executable, "-m", *command], capture_output=True, text=True, cwd=ROOT
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("kind", KINDS)
def test_check_has_nothing_to_say(tmp_path: Path, kind: str) -> None:
    place = made(tmp_path, kind)
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "cgikit",
            "check",
            "--strict",
            place / "cgi-bin" / "my-own_thing.py",
        ],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("kind", KINDS)
def test_its_data_stays_out_of_what_is_served(tmp_path: Path, kind: str) -> None:
    place = made(tmp_path, kind)
    client = Client(place / "cgi-bin")
    assert client.get("/my-own_thing.py").status == 200
    assert os.listdir(place / "cgi-bin") == ["my-own_thing.py"]
    assert (place / "data").stat().st_mode & 0o777 == 0o700
    assert "Require all denied" in (place / "data" / ".htaccess").read_text()


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    for taken in (tmp_path / "directory", tmp_path / "file", tmp_path / "link"):
        if taken.name == "directory":
            taken.mkdir()
        elif taken.name == "file":
            taken.write_text("kept")
        else:
            taken.symlink_to("nowhere")
        with pytest.raises(FileExistsError):
            make(str(taken), "page", sys.executable)
    assert (tmp_path / "file").read_text() == "kept"
    assert sorted(os.listdir(tmp_path)) == ["directory", "file", "link"]
    assert os.listdir(tmp_path / "directory") == []


def test_nothing_is_left_half_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KINDS, "odd", "has no source")
    with pytest.raises(FileNotFoundError):
        make(str(tmp_path / "a"), "odd", sys.executable)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    "name", ["email", "json", "cgikit", "multipart", "1st", ".hidden", "a b", "a'b", "ä", "x" * 61]
)
def test_a_name_that_no_script_should_have(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match=r"is not a valid name|is the name of a module"):
        make(str(tmp_path / name), "page", sys.executable)
    assert os.listdir(tmp_path) == []


def test_the_modes_do_not_depend_on_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        place = made(tmp_path, "page")
    finally:
        os.umask(before)
    modes = {str(p.relative_to(place)): p.stat().st_mode & 0o777 for p in place.rglob("*")}
    assert modes["cgi-bin/my-own_thing.py"] == 0o755
    assert place.stat().st_mode & 0o777 == 0o755


def test_each_kind_has_its_two_files() -> None:
    files = {path.name for path in Path(starters.__file__).parent.glob("*.txt")}
    assert files == {f"{kind}{end}.txt" for kind in KINDS for end in ("", ".test")}


@pytest.mark.parametrize("words", [["--add-user"], ["--add-user", "ada", "more"], ["ada"]])
def test_wrong_use_of_the_login_script_is_no_traceback(tmp_path: Path, words: list[str]) -> None:
    """`./login.py --add-user` without a name was an IndexError."""
    script = made(tmp_path, "login") / "cgi-bin" / "my-own_thing.py"
    done = subprocess.run(
        [script, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
    )
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "my-own_thing" / "data" / "users.json").exists()
