"""The first lines of a bundled script: it still means the same, in the same lines."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from cgikit.bundle.firstlines import prepared

LINE = "/usr/bin/python3 -IS"
PATH = "sys.path[:0] = ["
SITE = ("copyright", "credits", "exit", "help", "license", "quit")

#: Beginnings of scripts. A last line `boom` fails in a known line of the original.
BEGINNINGS = {
    "an import": "#!/usr/bin/env python3\nimport os\n",
    "an empty line": "#!/usr/bin/env python3\n\nimport os\n",
    "a docstring": '#!/usr/bin/env python3\n"""What it does.\n\nAnd more.\n"""\nimport os\n',
    "a docstring and a statement": '#!/usr/bin/env python3\n"""What it does."""; x = 1\n',
    "a docstring and a function": '#!/usr/bin/env python3\n"""Ünïcode."""  # why\ndef f(): pass\n',
    "the future": "#!/usr/bin/env python3\nfrom __future__ import annotations\nimport os\n",
    "the future and a class": "#!/bin/x\nfrom __future__ import annotations\nclass C:\n  x: D\n",
    "both": '#!/bin/x\n"""A."""\nfrom __future__ import annotations\n@str\ndef f(): pass\n',
    "an encoding": "#!/bin/x\n# -*- coding: latin-1 -*-\nname = 'M\xfcller'\n",
    "an encoding first": "# -*- coding: latin-1 -*-\nname = 'M\xfcller'\n",
    "an encoding after a comment": "# mine\n# coding: latin-1\nname = 'M\xfcller'\n",
    "an encoding after an empty line": "\n# coding: latin-1\nname = 'M\xfcller'\n",
    "an encoding and a function": "#!/bin/x\n# coding: latin-1\ndef m\xfcller(): return '\xfc'\n",
    "no first line": "import os\n",
    "a function": "#!/bin/x\ndef f():\n    return 1\n",
    "an empty line in a text": '#!/bin/x\nx = """\n\n"""\n',
    "a continued line": "#!/bin/x\n\nif 1 and \\\n   2:\n    pass\n",
    "a form feed": "#!/bin/x\n\x0cx = 'a\x0bb\x1cc'\n",
    "a parenthesis": "#!/bin/x\nfrom os import (\n\n  path,\n)\n",
}

#: There is no place in these for what is added.
ONE_MORE = ("an encoding first", "an encoding and a function", "no first line", "a function")


def run(source: bytes, directory: Path) -> tuple[str, str, str]:
    """Run a script: its docstring and variable `name`, the last line of what it printed as an error."""
    script = directory / "script.py"
    script.write_bytes(source)
    done = subprocess.run([sys.executable, "-IS", script], capture_output=True, text=True)
    lines = done.stderr.splitlines()
    return done.stdout, lines[1].rpartition("line ")[2].partition(",")[0], lines[-1]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("name", BEGINNINGS)
def test_a_script_means_the_same_in_the_same_lines(name: str, end: str, tmp_path: Path) -> None:
    text = BEGINNINGS[name] + "print(ascii((__doc__, globals().get('name'))))\nboom\n"
    source = text.replace("\n", end).encode("latin-1" if "latin-1" in text else "utf-8")
    made = prepared(source, LINE)
    assert made.startswith(f"#!{LINE}\n".encode())
    assert made.count(PATH.encode()) == 1
    printed, line, error = run(source, tmp_path)
    shift = int(name in ONE_MORE)
    assert run(made, tmp_path) == (printed, str(int(line) + shift), error)
    assert made.endswith(source[-20:])


def test_the_path_is_set_before_anything_is_imported() -> None:
    made = prepared(b"#!/bin/x\nimport os\nfrom cgikit import run\n", LINE)
    first = ast.parse(made).body[1]
    assert PATH in ast.unparse(first)


def test_a_mark_of_the_byte_order_goes() -> None:
    """The system did not see the `#!` behind it."""
    assert prepared(b"\xef\xbb\xbf#!/bin/x\r\nimport os\r\n", LINE).startswith(b"#!/usr")


@pytest.mark.parametrize("source", [b"", b"#!/bin/x\n", b'#!/bin/x\n"""Nothing."""\n', b"# a\n"])
def test_a_script_that_does_nothing_needs_no_path(source: bytes) -> None:
    made = prepared(source, LINE)
    assert made.startswith(b"#!/usr/bin/python3 -IS\n")
    assert PATH.encode() not in made


def test_exit_is_there_without_site(tmp_path: Path) -> None:
    """`exit()` and `quit()` are made by the module `site`, which -S leaves out."""
    script = tmp_path / "script.py"
    for source in (b"exit(3)\n", b"def f(): quit(3)\nf()\n", b"from sys import exit\nexit(3)\n"):
        script.write_bytes(prepared(b"#!/bin/x\n" + source, LINE))
        assert subprocess.run([sys.executable, "-IS", script]).returncode == 3
    assert b"sys.exit" not in prepared(b"def exit(): pass\nexit()\n", LINE)


@pytest.mark.parametrize("name", SITE)
def test_what_site_makes_is_there_in_the_script_and_in_its_modules(
    name: str, tmp_path: Path
) -> None:
    script = tmp_path / "script.py"
    (tmp_path / "own.py").write_text(f"print(callable({name}))\n")
    used = f"#!/bin/x\nprint(callable({name}))\nimport own\n".encode()
    script.write_bytes(prepared(used, LINE))
    done = subprocess.run([sys.executable, "-IS", script], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("True\nTrue\n", "")
    script.write_bytes(prepared(b"#!/bin/x\nimport own\n", LINE, 0, {name}))
    done = subprocess.run([sys.executable, "-IS", script], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("True\n", "")


def test_what_a_script_does_not_use_is_not_made() -> None:
    """The module `site` takes time; `license` and `help` are often names of a script's own."""
    source = b"#!/bin/x\nlicense = 'MIT'\ndef f(help): return help, license\n"
    assert b"site" not in prepared(source, LINE)


def test_the_directory_of_the_script_comes_first(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_bytes(prepared(b"#!/bin/x\nimport sys\nprint(*sys.path[:2])\n", LINE))
    done = subprocess.run([sys.executable, "-IS", script], capture_output=True, text=True)
    assert done.stdout == f"{tmp_path} {tmp_path}/cgikit_bundle\n"


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_the_library_is_found_from_below(depth: int, tmp_path: Path) -> None:
    below = tmp_path.joinpath(*"ab"[:depth])
    below.mkdir(parents=True, exist_ok=True)
    (tmp_path / "cgikit_bundle").mkdir()
    (tmp_path / "cgikit_bundle" / "found.py").write_text("x = 'library'")
    (below / "own.py").write_text("y = 'own'")
    script = below / "script.py"
    script.write_bytes(prepared(b"import found, own\nprint(found.x, own.y)\n", LINE, depth))
    done = subprocess.run(
        [sys.executable, "-IS", "script.py"], cwd=below, capture_output=True, text=True
    )
    assert done.stdout == "library own\n", done.stderr


def test_a_source_that_is_no_python_is_an_error() -> None:
    with pytest.raises(SyntaxError):
        prepared(b"print 'old'\n", LINE)
