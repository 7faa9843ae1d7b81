"""A file that is read and written back without a lock loses changes."""

import sys
from pathlib import Path

import pytest

from cgikit.checking.account import Account
from cgikit.checking.finding import Finding
from cgikit.checking.interpreter import ask
from cgikit.checking.racing import check_racing

RACING = {
    "the classic": 'n = int(open("count").read()) + 1\nopen("count", "w").write(str(n))\n',
    "with": 'with open("c") as f:\n    n = f.read()\nwith open("c", mode="w") as f:\n    f.write(n)\n',
    "a name": 'PATH = "c"\nx = open(PATH, "r").read()\nopen(PATH, "w").write(x)\n',
    "a lock that is imported alone": (
        'from cgikit import lock, escape\nx = open("c").read()\nopen("c", "w").write(escape(x))\n'
    ),
    "both": 'with open("c", "r+") as f:\n    f.write(f.read() + "x")  # \'w\'\n',
    "a path": "c.write_text(c.read_text() + 'w')\n",
    "methods": (
        "class C:\n    def load(self):\n        return open(self.p).read()\n"
        "    def save(self, x):\n        open(self.p, 'w').write(x)\n"
    ),
    "a name that a function takes, too": (
        "P = 'c'\ndef a(P):\n    return P\nx = open(P).read()\nopen(P, 'w').write(x)\n"
    ),
    "after a guard": (
        "if not x:\n    raise SystemExit\nn = open('c').read()\nopen('c', 'w').write(n)\n"
    ),
    "functions": "def a():\n    return open(P).read()\ndef b(x):\n    open(P, 'w').write(x)\n",
}
SAFE = {
    "written only": 'open("count", "w").write("1")\n',
    "appended": 'open("c").read()\nopen("c", "a").write("1")\n',
    "two files": 'x = open("a").read()\nopen("b", "w").write(x)\n',
    "locked": 'import fcntl\nf = open("c")\nfcntl.flock(f, 2)\nopen("c", "w").write("1")\n',
    "cgikit": (
        'import cgikit\nwith cgikit.lock("c"):\n    open("c").read()\n    open("c", "w").write("1")\n'
    ),
    "cgikit's lock": (
        'from cgikit import lock\nwith lock("c"):\n    open("c").read()\n    open("c", "w")\n'
    ),
    "paths": "a.write_text(b.read_text())\n",
    "created": "import os\nos.open('c', os.O_EXCL)\nx = open('c').read()\nopen('c', 'w').write(x)\n",
    "two parameters": (
        "def a(p):\n    return open(p).read()\ndef b(p):\n    open(p, 'w').write('x')\n"
    ),
    "two variables": (
        "def a():\n    p = 'a'\n    return open(p).read()\n"
        "def b():\n    p = 'b'\n    open(p, 'w').write('x')\n"
    ),
    "a variable with two values": "p = 'a'\nx = open(p).read()\np = 'b'\nopen(p, 'w').write(x)\n",
    "two classes": (
        "class A:\n    def load(self):\n        return open(self.p).read()\n"
        "class B:\n    def save(self, x):\n        open(self.p, 'w').write(x)\n"
    ),
    "two branches": "if x:\n    open(p).read()\nelse:\n    open(p, 'w').write('x')\n",
    "a cache": (
        "def a(p):\n    try:\n        with open(p) as f:\n            return f.read()\n"
        "    except OSError:\n        pass\n    open(p, 'w').write('x')\n"
    ),
    "made when missing": "try:\n    x = open(p).read()\nexcept OSError:\n    open(p, 'w').write('x')\n",
    "written, then read": "open(p, 'w').write('x')\nx = open(p).read()\n",
    "of one process": (
        "import os\np = 'c%d' % os.getpid()\nx = open(p).read()\nopen(p, 'w').write(x)\n"
    ),
    "a descriptor": "open(0).read()\nopen(0, 'w')\n",
    "a device": "open('/dev/null').read()\nopen('/dev/null', 'w')\n",
    "mapped": "import mmap\nf = open(p, 'r+b')\nmmap.mmap(f.fileno(), 0)\n",
    "a lock of another library": (
        "with get_lock(p):\n    x = open(p).read()\n    open(p, 'w').write(x)\n"
    ),
    "no Python": "this is no Python (",
    "a NUL": "x = '\0'",
    "deep": "x = " + "(" * 3_000 + ")" * 3_000,
}


def check(tmp_path: Path, source: str) -> list[Finding]:
    file = tmp_path / "a.py"
    file.write_text(f"#!{sys.executable}\n{source}")
    told = ask(str(file), "/usr/bin:/bin", Account.current(), 60)
    assert told is not None
    return check_racing(str(file), told)


@pytest.mark.parametrize("name", RACING)
def test_a_race_is_found_with_its_line(tmp_path: Path, name: str) -> None:
    (found,) = check(tmp_path, RACING[name])
    assert (found.kind, found.is_error) == ("racing-file", False)
    line = RACING[name].splitlines()[found.line - 2]
    assert any(mode in line for mode in ('"w"', "'w'", '"r+"'))
    assert f"a.py, line {found.line} writes" in found.what
    assert "Counter" in found.fix


@pytest.mark.parametrize("name", SAFE)
def test_no_race(tmp_path: Path, name: str) -> None:
    assert check(tmp_path, SAFE[name]) == []


def test_a_path_that_is_nested_too_deeply_ends_nothing(tmp_path: Path) -> None:
    """`ast.unparse` raised RecursionError, which ended the command."""
    path = "a" + ".a" * 1_500
    check(tmp_path, f"open({path}).read()\nopen({path}, 'w')\n")
