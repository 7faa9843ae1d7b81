"""What a listing shows: scripts and what could become one; never data (S25)."""

from pathlib import Path

import pytest

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
    assert listed(tmp_path) == [Entry("off.py", "", "chmod +x off.py")]


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
