"""`cgikit new`: what it makes and says, and what it refuses."""

import os
import pwd
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cgikit.cli import main
from cgikit.testing import Client


def test_it_names_the_files_and_the_next_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["new", "guestbook"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "guestbook/cgi-bin/guestbook.py",
        "guestbook/test_guestbook.py",
        "guestbook/data/.htaccess",
        "See it:  cgikit serve guestbook/cgi-bin",
        f"Test it: {sys.executable} -m pytest guestbook",
    ]
    answer = Client(tmp_path / "guestbook" / "cgi-bin" / "guestbook.py").get("?name=Ada")
    assert "Hello, Ada!" in answer.text


@pytest.mark.parametrize("path", ["sub/guestbook", "sub/guestbook/", "./sub/../sub/guestbook"])
def test_it_can_be_made_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkdir("sub")
    assert main(["new", path, "--kind", "counter"]) == 0
    assert os.access("sub/guestbook/cgi-bin/guestbook.py", os.X_OK)


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["there"], 1, "cgikit new: there: it exists; nothing was changed"),
        (["none/there"], 1, "cgikit new: none: No such file or directory\n"),
        (["none/below/there/"], 1, "cgikit new: none/below: No such file or directory\n"),
        (["email"], 2, "'email' is the name of a module"),
        (["a b"], 2, "'a b' is not a valid name"),
    ],
)
def test_what_is_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    status: int,
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkdir("there")
    assert main(["new", *words]) == status
    out, err = capsys.readouterr()
    assert (out, message in err) == ("", True)
    assert os.listdir(".") == ["there"]


def test_how_to_get_pytest_is_said_if_it_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = (
        "import importlib.util as util, sys; real = util.find_spec\n"
        "util.find_spec = lambda name, *a: None if name == 'pytest' else real(name, *a)\n"
        "from cgikit.cli import main; sys.exit(main(['new', 'page']))"
    )
    monkeypatch.chdir(tmp_path)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.endswith(
        f"pytest is not installed: {sys.executable} -m pip install pytest\n"
    )


def test_root_is_told_whom_to_give_the_data_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["new", "my-page"]) == 0
    error = capsys.readouterr().err
    command = re.search(r"chown (\S+) (my-page/data)$", error, re.M)
    assert bool(command) == (os.geteuid() == 0), error
    if command and command[1] != "USER":
        subprocess.run(command[0].split(), check=True)
        assert os.stat("my-page/data").st_uid == pwd.getpwnam(command[1]).pw_uid


def test_an_interpreter_that_no_first_line_can_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "executable", f"{tmp_path}/a b/python3")
    assert main(["new", "page"]) == 0
    first = Path("page/cgi-bin/page.py").read_text().splitlines()[0]
    assert first == "#!/usr/bin/env python3"


def test_an_interpreter_that_a_server_s_user_cannot_reach_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    shutil.copy("/bin/sh", closed / "python3")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "executable", str(closed / "python3"))
    assert main(["new", "page"]) == 0
    assert "Other users cannot enter" in capsys.readouterr().err


def test_a_server_can_enter_the_scripts_whatever_the_umask(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    former = os.umask(0o077)
    try:
        assert main(["new", "page"]) == 0
    finally:
        os.umask(former)
    assert os.stat("page/cgi-bin").st_mode & 0o777 == 0o755
