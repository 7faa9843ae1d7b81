"""Which `#!` lines mean the warm interpreter, and when a file is looked at again."""

import os
import sys
from pathlib import Path

import pytest

from cgikit.warm import program as module
from cgikit.warm.program import NOT_PYTHON, Programs, is_recent, stamp_of

OLD = 1_000_000_000


@pytest.fixture(autouse=True)
def ages(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is recent stays so for a year: a test may be stopped for longer than a few seconds."""
    monkeypatch.setattr(module, "RACY", 365 * 86_400 * 10**9)


def why_not(tmp_path: Path, line: bytes, path: str = "") -> str:
    file = tmp_path / "script"
    file.write_bytes(line + b"\nprint()\n")
    program = Programs(path).get(str(file), file.stat())
    assert program.warm == (program.why == "")
    return program.why


def test_this_interpreter_runs_warm(tmp_path: Path) -> None:
    executable = os.fsencode(sys.executable)
    for line in (b"#!%b", b"#! %b", b"#!\t%b  ", b"#!  %b \t"):
        assert why_not(tmp_path, line % executable) == ""


def test_by_env_it_is_the_first_on_the_path(tmp_path: Path) -> None:
    here = str(Path(sys.executable).parent)
    name = Path(sys.executable).name.encode()
    assert why_not(tmp_path, b"#!/usr/bin/env " + name, f"/nowhere:{here}") == ""
    assert why_not(tmp_path, b"#!/usr/bin/env " + name, "/nowhere") == NOT_PYTHON
    assert "its interpreter is" in why_not(tmp_path, b"#!/usr/bin/env python3", "/usr/bin:" + here)


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"#!/bin/sh", NOT_PYTHON),
        (b"#!/usr/bin/perl -w", NOT_PYTHON),
        (b"#!/usr/bin/env perl", NOT_PYTHON),
        (b"#!/usr/bin/env", NOT_PYTHON),
        (b"#!", NOT_PYTHON),
        (b"", NOT_PYTHON),
        (b"print('no first line')", NOT_PYTHON),
        (b"\xef\xbb\xbf#!" + os.fsencode(sys.executable), NOT_PYTHON),  # a BOM: the kernel says no
        (b" #!" + os.fsencode(sys.executable), NOT_PYTHON),
        (b"\x7fELF\x02\x01\x01", NOT_PYTHON),
        (b"#!" + os.fsencode(sys.executable) + b" -O", "option -O"),
        (b"#!" + os.fsencode(sys.executable) + b" -IS", "option -IS"),
        (b"#!/usr/bin/env -S python3 -u", NOT_PYTHON),
        (b"#!" + os.fsencode(sys.executable) + b"\r", "Windows"),
        (b"#!/opt/python2/bin/python2", "its interpreter is /opt/python2/bin/python2"),
    ],
)
def test_what_does_not(tmp_path: Path, line: bytes, why: str) -> None:
    assert why in why_not(tmp_path, line)


def test_options_must_be_those_of_this_interpreter(tmp_path: Path) -> None:
    programs = Programs("", "-IS")
    for options, why in (
        ("-IS", ""),
        ("", "no option"),
        ("-I", "option -I"),
        ("-SI", "option -SI"),
    ):
        file = tmp_path / f"script{options}"
        file.write_text(f"#!{sys.executable} {options}\n")
        assert why in programs.get(str(file), file.stat()).why
    assert programs.get(str(tmp_path / "script-IS"), (tmp_path / "script-IS").stat()).warm


def test_a_link_to_the_same_interpreter_in_another_environment(tmp_path: Path) -> None:
    """Its libraries are others."""
    other = tmp_path / "venv" / "bin"
    other.mkdir(parents=True)
    (other.parent / "pyvenv.cfg").write_text("home = /usr/bin\n")
    (other / "python").symlink_to(os.path.realpath(sys.executable))
    assert "its interpreter is" in why_not(tmp_path, b"#!" + os.fsencode(other / "python"))


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    file = tmp_path / "script"
    file.write_text(f"#!{sys.executable}\n")
    status = file.stat()
    file.unlink()
    assert "cannot be read" in Programs("").get(str(file), status).why


def test_a_file_at_rest_is_looked_at_once(tmp_path: Path) -> None:
    file = tmp_path / "script"
    file.write_text(f"#!{sys.executable}\n")
    programs = Programs("")
    status = at_rest(file)
    program = programs.get(str(file), status)
    assert program.stamp == stamp_of(status)
    assert programs.get(str(file), status) is program


def test_a_file_that_has_just_changed_is_looked_at_again(tmp_path: Path) -> None:
    file = tmp_path / "script"
    file.write_text(f"#!{sys.executable}\n")
    programs = Programs("")
    program = programs.get(str(file), file.stat())
    assert program.stamp is None
    assert programs.get(str(file), file.stat()) is not program


@pytest.mark.parametrize("number", range(5))
def test_every_part_of_the_stamp_counts(tmp_path: Path, number: int) -> None:
    file = tmp_path / "script"
    file.write_text(f"#!{sys.executable}\n")
    status = at_rest(file)
    field = (8, 9, 6, 1, 2)[number]  # mtime, ctime, size, inode, device
    changed = list(status)
    changed[field] += 1
    programs = Programs("")
    program = programs.get(str(file), status)
    other = os.stat_result(
        changed, {"st_mtime_ns": changed[8] * 10**9, "st_ctime_ns": changed[9] * 10**9}
    )
    assert programs.get(str(file), other) is not program


def at_rest(file: Path) -> os.stat_result:
    """The status of a file as it will be in some years."""
    fields = list(file.stat()[:10])
    fields[8] = fields[9] = OLD
    return os.stat_result(fields, {"st_mtime_ns": OLD * 10**9, "st_ctime_ns": OLD * 10**9})


def test_recent_is_by_either_clock(tmp_path: Path) -> None:
    file = tmp_path / "script"
    file.write_text("")
    assert is_recent(stamp_of(file.stat()))
    os.utime(file, (OLD, OLD))  # that is a change of its own
    assert is_recent(stamp_of(file.stat()))
    assert not is_recent(stamp_of(at_rest(file)))


def test_the_directory_is_that_of_the_file_itself(tmp_path: Path) -> None:
    """As `sys.path[0]` is: links are followed."""
    (tmp_path / "real").mkdir()
    file = tmp_path / "real" / "script"
    file.write_text(f"#!{sys.executable}\n")
    link = tmp_path / "link"
    link.symlink_to(file)
    assert Programs("").get(str(link), link.stat()).directory == str(file.parent)


def test_not_more_is_remembered_than_is_of_use(tmp_path: Path) -> None:
    file = tmp_path / "script"
    file.write_text(f"#!{sys.executable}\n")
    status = at_rest(file)
    programs = Programs("")
    for number in range(2_500):
        programs.get(f"{tmp_path}/../{tmp_path.name}/{'./' * (number % 7)}script{number}", status)
    assert len(programs._known) <= 1_000
