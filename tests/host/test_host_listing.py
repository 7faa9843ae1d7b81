"""What a listing shows: scripts and what could become one; never data (S25)."""

import subprocess
import sys
from pathlib import Path

import pytest

from cgikit import vendoring
from cgikit.host.listing import Entry, entries
from cgikit.host.path import Directory


def listed(path: Path) -> list[Entry]:
    return entries(str(path), Directory(str(path), "/", True))


def make(path: Path, content: str = "#!/bin/sh\n", mode: int = 0o755) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(content)
    path.chmod(mode)


def test_scripts_and_directories_in_order(tmp_path: Path) -> None:
    for name in ("b.py", "A.py", "tool", "sub/x.sh"):
        make(tmp_path / name)
    assert [entry.name for entry in listed(tmp_path)] == ["sub/", "A.py", "b.py", "tool"]


def test_what_is_not_shown(tmp_path: Path) -> None:
    make(tmp_path / ".hidden.py")
    make(tmp_path / "data.txt", mode=0o644)
    make(tmp_path / "__pycache__" / "x.py")
    make(tmp_path / "data" / "count.dat", mode=0o644)
    (tmp_path / "broken.py").symlink_to("nowhere")
    assert listed(tmp_path) == []
    assert listed(tmp_path / "not-there") == []


def test_what_cannot_run_comes_with_its_fix(tmp_path: Path) -> None:
    make(tmp_path / "off.py", mode=0o644)
    assert listed(tmp_path) == [
        Entry("off.py", "", f"chmod +x {tmp_path}/off.py", "Not executable")
    ]


def test_tests_are_not_scripts_to_make_executable(tmp_path: Path) -> None:
    """The directory with saved tests was listed, with the advice to make each of them executable."""
    for name in ("test_hello_get.py", "conftest.py"):
        make(tmp_path / "tests" / name, mode=0o644)
        make(tmp_path / name, mode=0o644)
    make(tmp_path / "test_cgi.py")
    assert [entry.name for entry in listed(tmp_path)] == ["test_cgi.py"]


@pytest.mark.parametrize("mode", [0o644, 0o755])
def test_what_vendor_wrote_is_no_script(tmp_path: Path, mode: int) -> None:
    """It was listed with the advice to make it executable."""
    vendoring.write(str(tmp_path), self_contained=True)
    make(tmp_path / "old.py", "#!/usr/bin/env python3\nimport cgi\n")
    for name in vendoring.NAMES:
        (tmp_path / f"{name}.py").chmod(mode)
    assert [entry.name for entry in listed(tmp_path)] == ["old.py"]
    make(tmp_path / "cgi.py", "# mine\n", mode=0o644)
    assert [entry.fix for entry in listed(tmp_path)] == [f"chmod +x {tmp_path}/cgi.py", ""]


#: Prints what is listed for the directory that it is started in, as nobody.
LISTED = """
import os
from cgikit.host.listing import entries
from cgikit.host.path import Directory
from cgikit.host.problem import Problem
if not os.geteuid():
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
for path in (".", "sub"):
    try:
        for entry in entries("/", Directory(path, "/", True)):
            print(entry.name, entry.about, entry.why, entry.fix, sep="|")
    except Problem as problem:
        print(problem.status, problem.log_text)
"""


def test_what_the_server_cannot_read_is_listed_with_the_reason(tmp_path: Path) -> None:
    """With all of it closed the page said "No scripts here yet"."""
    make(tmp_path / "counter.py", mode=0o311)
    make(tmp_path / "sub" / "a.py")
    (tmp_path / "sub").chmod(0o300)
    tmp_path.chmod(0o755)
    words = [sys.executable, "-c", LISTED]
    try:
        done = subprocess.run(
            words, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60
        )
    finally:
        (tmp_path / "sub").chmod(0o700)
    why = "cannot be read by the user who serves it"
    assert done.stdout.splitlines() == [
        f"sub/||It {why}|chmod a+rx sub",
        f"counter.py||It {why}|chmod a+rx counter.py",
        f"403 sub {why}. chmod a+rx sub",
    ]


@pytest.mark.parametrize(
    ("content", "about"),
    [
        ('#!/usr/bin/env python3\n"""Says hello.\n\nMore."""\n', "Says hello."),
        ("#!/bin/sh\n# A shell script\n", "A shell script"),
        ("#!/usr/bin/python3\n# -*- coding: utf-8 -*-\n'''Old.'''\n", "Old."),
        ("#!/usr/bin/python3\nr'''Raw.'''\n", "Raw."),
        ("#!/bin/sh\n\necho no\n# too late\n", ""),
        ("", ""),
        ("\x7fELF\0\0", ""),
    ],
)
def test_what_a_script_says_of_itself(tmp_path: Path, content: str, about: str) -> None:
    make(tmp_path / "a.py", content)
    assert listed(tmp_path) == [Entry("a.py", about)]
