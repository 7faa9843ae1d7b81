"""`cgikit.accelerate.perlfront`: a front in Perl, with any path in it, and without any module."""

import re
import subprocess
from pathlib import Path

import pytest
from requirement import need

from cgikit.accelerate import machine, perlfront

NAMES = (b"BASE", b"TAIL", b"PYTHON", b"CODE", b"PACKAGE", b"SHOWN", b"SCRIPT")
VALUES = {**dict.fromkeys(NAMES, b"x"), b"USER": b"1", b"IDLE": b"2"}
NUMBERS = machine.Machine(1, 2, 3, 4)


@pytest.mark.parametrize("script", [b"a'b\\", b"$x@y", b"\xff\\'", b"'; die '"])
def test_any_path_is_a_text(tmp_path: Path, script: bytes) -> None:
    perl = need("perl")
    made = perlfront.text(NUMBERS, {**VALUES, b"PERL": perl.encode(), b"SCRIPT": script})
    code = made.partition(b"my $why")[0] + b"print $script;"
    done = subprocess.run([perl, "-"], input=code, capture_output=True, check=True)
    assert done.stdout == script


def test_it_uses_no_module_and_runs_without_warnings(tmp_path: Path) -> None:
    perl = need("perl")
    made = perlfront.text(NUMBERS, {**VALUES, b"PERL": perl.encode()})
    assert not re.search(rb"^\s*(use|require)\b", made, re.M)
    front = tmp_path / "front.cgi"
    front.write_bytes(made)
    done = subprocess.run([perl, "-wc", front], capture_output=True, text=True)
    assert done.stderr == f"{front} syntax OK\n"


def test_it_says_what_it_is() -> None:
    made = perlfront.text(NUMBERS, {**VALUES, b"PERL": b"/perl", b"SHOWN": b"guestbook.py"})
    assert made.startswith(b"#!/perl\n# Runs the script guestbook.py in a process that has Python")
    assert b'"cgikit accelerate --undo" removes it' in made
