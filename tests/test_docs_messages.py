"""docs/start/messages.md: every message is one that its source really says, and every kind is there."""

import ast
import errno
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from house import PACKAGE, ROOT

PAGE = ROOT / "docs" / "start" / "messages.md"


def rows(section: str) -> list[list[str]]:
    """The cells of each row of the table of a section."""
    text = PAGE.read_text().partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("| ")][1:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def message(cell: str) -> str:
    """What stands between the backquotes of a cell."""
    found = re.fullmatch(r"`(.+)`", cell)
    assert found is not None, cell
    return found[1]


def pieces(text: str) -> list[str]:
    """What a message says for certain, around the names in it, and around what the system says."""
    text = text.replace(f"{os.strerror(errno.ENOENT)}.", "…")
    return [piece.strip() for piece in text.split("…") if len(piece.strip()) > 1]


# --- cgikit's own ------------------------------------------------------------------------------


def texts(path: Path) -> str:
    """All strings of a module, what is formatted into them left out."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.append(node.value)
        if isinstance(node, ast.JoinedStr):
            parts = (v.value if isinstance(v, ast.Constant) else "…" for v in node.values)
            found.append("".join(map(str, parts)))
    return "\n".join(found)


TEXTS = {path: texts(path) for path in sorted(PACKAGE.rglob("*.py"))}
OURS = rows("From cgikit")


@pytest.mark.parametrize("row", OURS, ids=lambda row: row[0])
def test_cgikit_says_so(row: list[str]) -> None:
    wanted = pieces(message(row[0]))
    kind = row[1].strip("`")
    assert wanted or kind
    files = [text for text in TEXTS.values() if all(piece in text for piece in wanted)]
    assert files, wanted
    if kind:
        assert any(f"\n{kind}\n" in f"\n{text}\n" for text in files), f"says it, not as {kind}"


def kinds() -> set[str]:
    """The kinds of findings and problems: those that docs/reference/check.md lists, and the host's."""
    check = (ROOT / "docs" / "reference" / "check.md").read_text()
    tables = re.findall(r"^\| (`[a-z`, -]+`(?: \(advice\))?) \| ", check, re.M)
    found = {kind for cell in tables for kind in re.findall(r"`([a-z]+(?:-[a-z]+)*)`", cell)}
    source = "".join(path.read_text() for path in sorted((PACKAGE / "host").glob("*.py")))
    return found | set(re.findall(r'kind="([a-z-]+)"', source))


def test_every_kind_has_its_row() -> None:
    listed = {row[1].strip("`") for row in OURS} - {""}
    wanted = kinds()
    assert len(wanted) > 50
    assert wanted - listed == set()
    source = "\n".join(TEXTS.values())
    assert {kind for kind in listed if f"\n{kind}\n" not in source} == set()


# --- what Python, the shell and the system say -------------------------------------------------

#: By the message: the name and content of a script, and how it is started.
SYSTEM = {
    "ModuleNotFoundError: No module named 'cgikit'": ("a.py", "import cgikit", "python -IS"),
    # "partially initialized module" up to 3.12; 3.13 says what the cause may be
    "AttributeError: … module 'cgikit' has no attribute 'escape' (…)": (
        "cgikit.py",
        "import cgikit\ncgikit.escape('')",
        "python",
    ),
    "cannot execute: required file not found": ("a.py", "#!/usr/bin/pyton3\n", "bash"),
    "bad interpreter: Permission denied": ("a.py", "#!/etc/passwd\n", "bash"),
    r"python3\r": ("a.py", "#!/usr/bin/env python3\r\nprint()\r\n", "bash"),
    "UnicodeEncodeError: 'ascii' codec can't encode character": (
        "a.py",
        "import sys; sys.stdout.reconfigure(encoding='ascii'); print('\\u2603')",
        "python",
    ),
    "SyntaxError: Missing parentheses in call to 'print'": ("a.py", "print 'x'", "python"),
    "PermissionError: [Errno 13] Permission denied": ("a.py", "#!/bin/sh\n", "exec"),
    "FileNotFoundError: [Errno 2] No such file or directory": ("a.py", "open('a/b')", "python"),
    "UnicodeDecodeError: 'utf-8' codec can't decode byte": ("a.py", r"b'\xe9'.decode()", "python"),
    "Address already in use": (
        "a.py",
        (
            "import socket\na = socket.create_server(('127.0.0.1', 0))\n"
            "socket.create_server(a.getsockname())"
        ),
        "python",
    ),
    "sqlite3.OperationalError: database is locked": (
        "a.py",
        (
            "import sqlite3\na = sqlite3.connect('b'); a.execute('BEGIN IMMEDIATE')\n"
            "sqlite3.connect('b', timeout=0).execute('BEGIN IMMEDIATE')"
        ),
        "python",
    ),
    # pip asks for this file where the library of a Python is that is no virtual environment
    "error: externally-managed-environment": (
        "a.py",
        (
            "import runpy, sys, sysconfig\n"
            "open('EXTERNALLY-MANAGED', 'w').write('[externally-managed]\\nError=No.\\n')\n"
            "sys.base_prefix = sys.prefix\nsysconfig.get_path = lambda *_, **__: '.'\n"
            "sys.argv = ['pip', 'install', '--no-index', 'absent']\n"
            "runpy.run_module('pip', run_name='__main__')"
        ),
        "python",
    ),
}
#: What a Python says that has these modules, and one that has not.
OLD = {
    "AttributeError: module 'cgi' has no attribute 'escape'": "cgi.escape('')",
    "AttributeError: has_key": "cgi.FieldStorage().has_key('a')",
}
NEW = {"ModuleNotFoundError: No module named 'cgi'": ""}
for words, line in (NEW if sys.version_info >= (3, 13) else OLD).items():
    SYSTEM[words] = ("a.py", f"import cgi\n{line}", "python -IS")


def commands(how: str, path: Path) -> list[str]:
    """How a script is started."""
    return {
        "python": [sys.executable, path.name],
        "python -IS": [sys.executable, "-IS", path.name],
        "bash": ["bash", "-c", f"./{path.name}"],
        "exec": [sys.executable, "-c", f"import os; os.execv('./{path.name}', ['x'])"],
    }[how]


@pytest.mark.parametrize("said", SYSTEM)
def test_python_or_the_shell_says_so(said: str, tmp_path: Path) -> None:
    name, text, how = SYSTEM[said]
    (tmp_path / name).write_bytes(text.encode())
    if how == "bash":
        (tmp_path / name).chmod(0o755)
    done = subprocess.run(
        commands(how, tmp_path / name), cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert done.returncode != 0
    assert all(piece in done.stderr for piece in pieces(said)), done.stderr


def test_all_of_these_are_tested() -> None:
    listed = {message(row[0]) for row in rows("From Python, the shell and the system")}
    assert listed == {*SYSTEM, *OLD, *NEW}
