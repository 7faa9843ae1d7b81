"""Who may execute a script: bits, directories, interpreters, and what suEXEC refuses."""

import os
from pathlib import Path

import pytest

from cgikit.checking.account import Account
from cgikit.checking.permissions import check_permissions
from cgikit.checking.script import check_script

ME = Account.current()
STRANGER = Account("stranger", 54_321, 54_321, frozenset())


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """A script that all may run."""
    file = tmp_path / "a.py"
    file.write_text("#!/bin/sh\n")
    file.chmod(0o755)
    tmp_path.chmod(0o755)
    return file


def kinds(file: Path, user: Account = ME) -> list[str]:
    return [finding.kind for finding in check_permissions(str(file), user)]


def test_a_script_that_all_may_run(script: Path) -> None:
    assert kinds(script) == []


def test_no_x_bit(script: Path) -> None:
    script.chmod(0o644)
    (found,) = check_permissions(str(script), ME)
    assert (found.kind, found.what) == ("not-executable", "a.py is not executable.")
    assert "mode -rw-r--r--" in found.evidence
    assert os.waitstatus_to_exitcode(os.system(found.command)) == 0
    assert kinds(script) == []


def test_an_x_bit_for_others_alone(script: Path) -> None:
    script.chmod(0o744)
    found = [each for each in check_permissions(str(script), STRANGER) if "execut" in each.kind]
    assert [each.what for each in found] == ["stranger may not execute a.py."]


def test_a_script_that_the_user_may_execute_but_not_read(script: Path) -> None:
    script.chmod(0o711)
    assert "not-readable" in kinds(script, STRANGER)


def test_a_directory_that_the_user_cannot_enter(script: Path) -> None:
    script.parent.chmod(0o700)
    found = check_permissions(str(script), STRANGER)
    assert found[0].kind == "directory-closed"
    assert "cannot enter" in found[0].what


def test_an_interpreter_in_a_home_that_is_closed(script: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "sh").symlink_to("/bin/sh")
    script.write_text(f"#!{home}/sh\n")
    home.chmod(0o700)
    found = {each.kind: each for each in check_permissions(str(script), STRANGER)}
    assert str(home).startswith(found["interpreter-out-of-reach"].file)  # or one above it
    assert "/usr/bin/python3" in found["interpreter-out-of-reach"].fix
    script.write_text("#!/bin/sh\n")
    assert "interpreter-out-of-reach" not in kinds(script, STRANGER)


@pytest.mark.parametrize(("mode", "who"), [(0o775, "its group"), (0o757, "everybody")])
def test_what_suexec_refuses_is_advice(script: Path, mode: int, who: str) -> None:
    script.chmod(mode)
    (found,) = check_permissions(str(script), ME)
    assert (found.kind, found.is_error) == ("writable-by-others", False)
    assert f"can be written by {who}" in found.what


def test_a_script_that_is_not_there(tmp_path: Path) -> None:
    assert kinds(tmp_path / "none.py") == ["missing"]


def test_what_is_no_file_gets_no_command(tmp_path: Path) -> None:
    """`chmod go-w` was advised for a device."""
    os.mkfifo(tmp_path / "fifo")
    for path in (tmp_path / "fifo", tmp_path, Path("/dev/null")):
        (found,) = check_permissions(str(path), ME)
        assert (found.kind, found.command, found.fix) == ("no-file", "", "")
        (found,) = check_script(str(path), ME, "/usr/bin:/bin")
        assert found.kind == "no-file"


def test_no_command_follows_a_link(tmp_path: Path) -> None:
    """`chmod a+rx` was advised about a link, which makes the file readable that it leads to."""
    target = tmp_path / "secret"
    target.write_text("#!/bin/sh\n")
    target.chmod(0o602)
    (tmp_path / "a.py").symlink_to(target)
    found = check_permissions(str(tmp_path / "a.py"), Account.current())
    own = [each for each in found if each.file == str(tmp_path / "a.py")]
    assert [each.kind for each in own] == ["not-executable", "writable-by-others"]
    for each in own:
        assert each.command == ""
        assert each.fix == f"It is a symbolic link to {target}: see whether that is meant."


def test_a_directory_in_which_nobody_replaces_the_files_of_others_is_fine(script: Path) -> None:
    """`chmod go-w /tmp` was advised, and done by --fix."""
    script.parent.chmod(0o1777)
    try:
        assert kinds(script) == []
        script.parent.chmod(0o777)
        assert kinds(script) == ["writable-by-others"]
    finally:
        script.parent.chmod(0o755)
