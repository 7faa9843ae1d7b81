"""The first line of a script: each mistake is made for real, and the finding names it and its fix."""

import os
import subprocess
from pathlib import Path

import pytest

from cgikit.checking.firstline import check_first_line, first_line, typed

PATH = "/usr/bin:/bin"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"#!/usr/bin/pyton3\n", "interpreter-missing"),
        (b"#!/usr/bin/env pyton3\n", "interpreter-not-on-path"),
        (b"#!/usr/bin/env sh -e\n", "env-with-options"),
        (b"#!/bin/sh\r\nexit 1\r\n", "windows-line-ends"),
        (b"print('x')\n", "no-interpreter-line"),
        (b"", "no-interpreter-line"),
        (b"\xef\xbb\xbf#!/bin/sh\n", "byte-order-mark"),
        (b"#!\n", "no-interpreter"),
        (b"#!/etc/passwd\n", "interpreter-not-executable"),
        (b"#!/usr\n", "interpreter-not-executable"),
        (b"#!/bin/" + b"./" * 130 + b"sh\n", "interpreter-line-too-long"),
    ],
)
def test_each_mistake_has_its_kind_and_the_system_refuses_the_script(
    tmp_path: Path, content: bytes, kind: str
) -> None:
    file = tmp_path / "a.py"
    file.write_bytes(content)
    file.chmod(0o755)
    found = check_first_line(str(file), PATH)
    assert found is not None
    assert (found.kind, found.is_error, found.file, found.line) == (kind, True, str(file), 1)
    assert found.fix
    try:
        status = subprocess.run([file], env={"PATH": PATH}, capture_output=True).returncode
    except OSError:
        return
    assert status != 0


@pytest.mark.parametrize("line", [b"#!/bin/sh", b"#!/usr/bin/env sh", b"#!/usr/bin/env -S sh -e"])
def test_a_line_that_works_has_none(tmp_path: Path, line: bytes) -> None:
    file = tmp_path / "a.sh"
    file.write_bytes(line + b"\n")
    file.chmod(0o755)
    assert check_first_line(str(file), PATH) is None
    assert subprocess.run([file], env={"PATH": PATH}).returncode == 0


def test_a_compiled_program_needs_none() -> None:
    assert check_first_line("/bin/sh", PATH) is None


def test_a_file_that_cannot_be_read_has_no_first_line(tmp_path: Path) -> None:
    found = check_first_line(str(tmp_path / "none"), PATH)
    assert found is not None
    assert (found.kind, first_line(str(tmp_path / "none"))) == ("not-readable", None)
    assert found.command == f"chmod a+r {tmp_path}/none"


@pytest.mark.parametrize("name", ["$(touch ran).py", "-rf.py", "it's.py", "a b.py"])
def test_a_command_can_be_pasted_whatever_the_name(tmp_path: Path, name: str) -> None:
    """`sed -i … $(touch ran).py` was to be pasted into a shell."""
    file = tmp_path / name
    file.write_bytes(b"#!/bin/sh\r\n")
    found = check_first_line(str(file), "/bin")
    assert found is not None
    command = found.fix.partition("  (")[0]
    subprocess.run(["/bin/sh", "-c", command], cwd=tmp_path, check=True)
    assert file.read_bytes() == b"#!/bin/sh\n"
    assert os.listdir(tmp_path) == [name]


def test_a_fix_can_be_typed_where_the_server_was_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It said `sed … a b.py  (or …)`: another directory, and no command for a shell."""
    (tmp_path / "cgi-bin").mkdir()
    file = tmp_path / "cgi-bin" / "a b.py"
    file.write_bytes(b"#!/bin/sh\r\n")
    monkeypatch.chdir(tmp_path)
    found = check_first_line(str(file), "/bin")
    assert found is not None
    assert found.fix == r"sed -i 's/\r$//' 'cgi-bin/a b.py'"
    assert found.command == rf"sed -i 's/\r$//' '{file}'"
    subprocess.run(found.fix, shell=True, check=True)
    assert file.read_bytes() == b"#!/bin/sh\n"
    monkeypatch.chdir(tmp_path / "cgi-bin")
    assert typed(str(tmp_path / "cgi-bin" / "-x.py")) == "./-x.py"
    assert typed(str(tmp_path / "other.py")) == str(tmp_path / "other.py")
    monkeypatch.chdir("/")
    assert typed(str(file)) == f"'{file}'"
