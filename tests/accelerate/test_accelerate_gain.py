"""`cgikit accelerate --check`: what is said before there is a front."""

import re
from pathlib import Path

import pytest
from accelerating import Site

from cgikit.accelerate.gain import libraries

COUNTED = (
    "import json, nowhere\nopen('runs', 'a').write('once')\nprint('Content-Type: a/b\\n\\n')\n"
)


def listed(top: Path) -> list[tuple[str, float]]:
    return sorted((str(path), path.lstat().st_mtime) for path in top.rglob("*"))


def test_it_says_what_is_to_be_gained_and_leaves_nothing(site: Site, kind: str) -> None:
    site.script("hello.py", COUNTED)
    before = listed(site.directory)
    done = site.accelerate("--check", "--front", kind, str(site.folder / "hello.py"))
    assert (done.returncode, done.stderr) == (0, b"")
    host, start, front, verdict = done.stdout.decode().splitlines()
    assert host == f"this host: a front works, written in {kind.capitalize()}"
    assert re.fullmatch(r"hello\.py: [1-9]\d* ms for the start of Python with json, nowhere", start)
    assert re.fullmatch(r"  with a front: [1-9]\d* ms", front)
    assert re.fullmatch(
        r"  (little to be gained|saves about [1-9]\d* ms of each request .*)", verdict
    )
    assert listed(site.directory) == before  # it has not run, either


def test_what_cannot_have_a_front_is_refused_as_without_check(site: Site) -> None:
    path = site.script("hello.py", COUNTED)
    path.chmod(0o644)
    checked = site.accelerate("--check", str(path))
    made = site.accelerate(str(path))
    assert checked.returncode == made.returncode == 1
    assert checked.stderr == made.stderr != b""
    assert not site.base.exists()


def test_it_says_it_of_a_front_in_place(site: Site) -> None:
    """A script called .cgi can have no other; one with a CR has none at all."""
    path = site.script("hello.cgi", COUNTED)
    before = listed(site.directory)
    done = site.accelerate("--check", "--in-place", str(path))
    host, start, front, *_ = done.stdout.decode().splitlines()
    assert (done.returncode, host) == (0, "this host: a front works, written in Python")
    assert re.fullmatch(r"hello\.cgi: [1-9]\d* ms for the start of Python .*", start)
    assert re.fullmatch(r"  with a front: [1-9]\d* ms", front)
    assert listed(site.directory) == before
    beside = site.accelerate("--check", str(path))
    assert (beside.returncode, b"give it a front in its place: --in-place" in beside.stderr) == (
        1,
        True,
    )
    path = site.script("hello.py", "x = 1\ry = 2\n")
    kept = site.accelerate("--check", "--in-place", str(path))
    assert (kept.returncode, b"no front can keep" in kept.stderr) == (1, True)


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("import re, os.path as path", ["re", "os"]),
        ("from json import dumps\ndef late():\n    import csv", ["json"]),
        ("from __future__ import annotations\nfrom . import x\nimport beside", []),
        ("'only text'", []),
    ],
)
def test_libraries_are_what_a_script_imports_at_once(
    tmp_path: Path, source: str, names: list[str]
) -> None:
    (tmp_path / "beside.py").touch()
    script = tmp_path / "it.py"
    script.write_text(source)
    found, code = libraries(str(script))
    assert found == names
    exec(compile(code, "code", "exec"), {})


def test_what_is_not_python_is_refused(site: Site) -> None:
    path = site.script("hello.py", "print 'of another time'\n")
    done = site.accelerate("--check", str(path))
    assert done.returncode == 1
    assert b"hello.py is not Python (Missing parentheses" in done.stderr
    assert not site.base.exists()
