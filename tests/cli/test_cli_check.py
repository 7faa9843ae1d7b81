"""`cgikit check`: the exit status, what is run and what is not, text and JSON."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cgikit.cli import main
from cgikit.probing.checkup import Checks, Checkup

PYTHON = f"#!{sys.executable}\n"
FINE = PYTHON + 'print("Content-Type: text/plain; charset=utf-8\\n")\n'
NO_BLANK_LINE = PYTHON + 'print("Content-Type: text/html")\nprint("<p>Hi")\n'
#: Leaves a file beside itself, so that a run is seen.
LEAVES = FINE + 'open(__file__ + ".ran", "w").close()\n'


def write(file: Path, source: str, mode: int = 0o755) -> str:
    file.write_text(source)
    file.chmod(mode)
    return str(file)


def answered(answer: bytes, *words: str) -> tuple[bytes, bytes, int]:
    """Run `cgikit check` in a terminal and answer its question; what it asked, its standard output and
    its exit status.
    """
    import pty

    command = [sys.executable, "-m", "cgikit", "check", *words]
    ours, theirs = pty.openpty()
    try:
        process = subprocess.Popen(
            command, stdin=theirs, stderr=theirs, stdout=subprocess.PIPE, start_new_session=True
        )
        os.close(theirs)
        asked = b""
        while b"[y/N] " not in asked:
            asked += os.read(ours, 1_000)
        os.write(ours, answer)
        out = process.communicate(timeout=60)[0]
    finally:
        os.close(ours)
    return asked, out, process.returncode


def test_a_script_that_works(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(tmp_path / "a.py", FINE)
    assert main(["check", file]) == 0
    out, err = capsys.readouterr()
    assert out == f"{file}: nothing is wrong\n1 script: 0 errors, 0 advice\n"
    assert "running it as" in err


def test_one_that_does_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(tmp_path / "a.py", NO_BLANK_LINE)
    assert main(["check", file]) == 1
    out = capsys.readouterr().out
    assert (
        "There is no blank line after the headers. Line 3 of a.py already prints the body." in out
    )
    assert out.count("There is no blank line") == 1  # GET and HEAD show the same


def test_advice_alone_is_no_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(tmp_path / "a.py", FINE.replace("; charset=utf-8", ""))
    assert main(["check", file]) == 0
    assert main(["check", "--strict", file]) == 1
    assert "0 errors, 1 advice" in capsys.readouterr().out


def test_a_script_is_run_unless_told_not_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path / "a.py", LEAVES)
    assert main(["check", "--no-run", file]) == 0
    assert os.listdir(tmp_path) == ["a.py"]
    assert main(["check", file]) == 0
    assert sorted(os.listdir(tmp_path)) == ["a.py", "a.py.ran"]


def test_the_scripts_of_a_directory_are_run_only_if_somebody_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "a.py", LEAVES)
    assert main(["check", str(tmp_path)]) == 0
    assert os.listdir(tmp_path) == ["a.py"]
    assert main(["check", "--run", str(tmp_path)]) == 0
    assert sorted(os.listdir(tmp_path)) == ["a.py", "a.py.ran"]


@pytest.mark.parametrize("answer", [b"y\n", b"n\n", b"\n", b"\x04"])
def test_a_terminal_is_asked(tmp_path: Path, answer: bytes) -> None:
    write(tmp_path / "a.py", LEAVES)
    _, out, _ = answered(answer, str(tmp_path))
    assert b"1 script: 0 errors" in out
    assert (tmp_path / "a.py.ran").exists() == (answer == b"y\n")


def test_what_cannot_even_start_is_not_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path / "a.py", LEAVES + "(\n")
    assert main(["check", file]) == 1
    assert os.listdir(tmp_path) == ["a.py"]
    assert "running" not in capsys.readouterr().err


def test_post_is_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = FINE + 'import os\nif os.environ["REQUEST_METHOD"] == "POST": 1 / 0\n'
    file = write(tmp_path / "a.py", source)
    assert main(["check", file]) == 0
    assert main(["check", "--post", file]) == 1
    assert "ZeroDivisionError" in capsys.readouterr().out


def test_the_json_is_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(tmp_path / "a.py", NO_BLANK_LINE)
    assert main(["check", "--json", file]) == 1
    out, err = capsys.readouterr()
    assert err == ""
    found = json.loads(out)
    assert (found["errors"], found["advice"]) == (1, 0)
    (script,) = found["scripts"]
    assert script["file"] == file
    assert [finding["kind"] for finding in script["findings"]] == ["no-blank-line"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["/no/such/file"], "/no/such/file: No such file or directory"),
        (["--user", "no-such-user", "x"], "this machine has no user 'no-such-user'"),
    ],
)
def test_what_cannot_be_looked_at(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", *words]) == 2
    assert message in capsys.readouterr().err


def test_a_directory_without_scripts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(tmp_path)]) == 2
    assert "has no scripts" in capsys.readouterr().err


def test_what_is_wrong_with_a_directory_is_said_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "email.py", "", 0o644)
    write(tmp_path / "a.py", FINE)
    write(tmp_path / "b.py", FINE)
    main(["check", str(tmp_path)])
    assert capsys.readouterr().out.count("email.py has the name") == 1


def test_data_beside_scripts_is_said_once_for_each_directory(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "cgi-bin").mkdir()
    write(tmp_path / "users.db", "", 0o644)
    write(tmp_path / "cgi-bin" / "more.db", "", 0o644)
    write(tmp_path / "cgi-bin" / "a.py", FINE)
    write(tmp_path / "cgi-bin" / "b.py", FINE)
    assert main(["check", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert out.count("users.db lies beside the scripts") == 1
    assert out.count("more.db lies beside the scripts") == 1


def test_names_with_escape_sequences_are_shown_escaped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "a\x1b[2J\n.py", NO_BLANK_LINE)
    main(["check", "--run", str(tmp_path)])
    out, err = capsys.readouterr()
    assert "\x1b" not in out + err
    assert "a\\x1b[2J" in out


@pytest.mark.skipif(os.geteuid() != 0, reason="only root checks for the owner of a file")
def test_root_runs_a_script_as_the_owner_of_its_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path / "a.sh", "#!/bin/sh\n")
    os.chown(file, 65_534, 65_534)
    main(["check", file])
    out, err = capsys.readouterr()
    # pytest's own directories are closed to others
    assert "nobody cannot enter" in out or "running it as nobody" in err


CRLF = FINE.replace("\n", "\r\n")


def test_what_is_safe_is_mended_and_the_script_is_then_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "x").touch()
    file = write(tmp_path / "a.py", CRLF, 0o666)
    assert main(["check", "--fix", "--yes", file]) == 0
    out, err = capsys.readouterr()
    assert out == f"{file}: nothing is wrong\n1 script: 0 errors, 0 advice\n"
    assert f"mending {file}: chmod a+rx\n" in err
    assert f"mending {file}: chmod go-w\n" in err
    assert f"mending {file}: give it Unix line ends\n" in err
    assert f"mending {tmp_path}/data/.htaccess: write it: Require all denied\n" in err
    assert "running it as" in err
    assert (Path(file).read_text(), os.stat(file).st_mode & 0o777) == (FINE, 0o755)


@pytest.mark.parametrize("words", [["--fix"], ["--fix", "--json"], []])
def test_without_a_terminal_nothing_is_mended_unless_somebody_says_yes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    file = write(tmp_path / "a.py", CRLF, 0o644)
    assert main(["check", *words, file]) == 1
    err = capsys.readouterr().err
    assert ("nothing was changed: --fix asks in a terminal" in err) == ("--fix" in words)
    assert (f"could mend {file}: chmod a+rx" in err) == ("--fix" in words)
    assert (Path(file).read_bytes(), os.stat(file).st_mode & 0o777) == (CRLF.encode(), 0o644)


def test_json_says_what_was_mended(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(tmp_path / "a.py", FINE, 0o644)
    main(["check", "--fix", "--yes", "--json", file])
    (script,) = json.loads(capsys.readouterr().out)["scripts"]
    assert script["mended"] == [{"file": file, "what": "chmod a+rx"}]
    assert script["findings"] == []


def test_what_is_refused_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(tmp_path / "a.py", FINE, 0o644)
    os.link(file, tmp_path / "other")
    assert main(["check", "--fix", "--yes", file]) == 1
    assert f"not mended: {file}: it has 2 names" in capsys.readouterr().err


@pytest.mark.parametrize("answer", [b"y\n", b"n\n"])
def test_each_change_is_asked_for_in_a_terminal(tmp_path: Path, answer: bytes) -> None:
    file = write(tmp_path / "a.py", FINE, 0o644)
    asked, _, status = answered(answer, "--no-run", "--fix", file)
    assert f"mend {file}: chmod a+rx?".encode() in asked
    mended = answer == b"y\n"
    assert os.stat(file).st_mode & 0o777 == (0o755 if mended else 0o644)
    assert status == (0 if mended else 1)


def test_a_tree_that_takes_long_has_a_bar_in_a_terminal(tmp_path: Path) -> None:
    """Each script takes its interpreter's time; ended by the test once the bar was seen."""
    import pty

    for number in range(500):
        write(tmp_path / f"{number}.py", FINE)
    command = [sys.executable, "-m", "cgikit", "check", "--no-run", str(tmp_path)]
    ours, theirs = pty.openpty()
    try:
        process = subprocess.Popen(
            command,
            stderr=theirs,
            stdout=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            env={**os.environ, "TERM": "xterm"},
        )
        os.close(theirs)
        seen = b""
        while b" of 500" not in seen:
            seen += os.read(ours, 1_000)
        process.kill()
        process.wait(60)
    finally:
        os.close(ours)
    assert b"\r[" in seen


def test_a_script_is_looked_at_again_only_if_it_was_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With --fix, each was looked at twice."""
    looked: list[str] = []
    look = Checks.look

    def counted(checks: Checks, file: str, *, may_run: bool) -> Checkup:
        looked.append(file)
        return look(checks, file, may_run=may_run)

    monkeypatch.setattr(Checks, "look", counted)
    file = write(tmp_path / "a.py", FINE)
    assert main(["check", "--fix", "--yes", "--no-run", file]) == 0
    assert looked == [file]
    os.chmod(file, 0o644)
    assert main(["check", "--fix", "--yes", "--no-run", file]) == 0
    assert looked == [file] * 3
