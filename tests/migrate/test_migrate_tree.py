"""Which files there are, and who uses a variable of one."""

from pathlib import Path

import pytest

from cgikit.migrate.tree import Users, is_program, programs


def test_programs_are_known_by_name_or_first_line(tmp_path: Path) -> None:
    for name, text in {
        "b.py": "", "a.cgi": "#!/usr/bin/env python3\n", "c.cgi": "#!/usr/bin/perl\n",
        "d": "#!/usr/bin/python\n", "e.txt": "import cgi\n", "sub/f.pyw": "",
    }.items():  # fmt: skip
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    found = [Path(path).relative_to(tmp_path).as_posix() for path in programs(str(tmp_path))]
    assert found == ["a.cgi", "b.py", "d", "sub/f.pyw"]
    assert not is_program(str(tmp_path / "e.txt"))


@pytest.mark.parametrize(
    "place", [".git", ".venv", "__pycache__", "node_modules", "lib/site-packages", "env", "conda"]
)
def test_what_is_not_the_sites_own_is_left_out(place: str, tmp_path: Path) -> None:
    inside = tmp_path / place
    inside.mkdir(parents=True)
    (inside / "a.py").write_text("import cgi\n")
    if place in ("env", "conda"):
        (inside / ("pyvenv.cfg" if place == "env" else "conda-meta")).write_text("")
    assert list(programs(str(tmp_path))) == []


def test_symbolic_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "real.py").write_text("")
    (tmp_path / "link.py").symlink_to("real.py")
    (tmp_path / "dangling.py").symlink_to("nowhere.py")
    (tmp_path / "loop").symlink_to(".")
    assert list(programs(str(tmp_path))) == [str(tmp_path / "real.py")]


@pytest.mark.parametrize(
    ("other", "uses"),
    [
        ("import mod\nmod.form\n", True),
        ("from mod import form\n", True),
        ("from mod import *\n", True),
        ("from . import (a,\n  mod)\nmod.form\n", True),
        ("from pack.mod import form\n", True),
        ("import mod\nmod.other\n", False),
        ("from cgi import mod\nform = 1\n", False),
        ("model = form\n", False),
    ],
)
def test_who_uses_a_variable(other: str, uses: bool, tmp_path: Path) -> None:
    (tmp_path / "mod.py").write_text("form = 1\n")
    (tmp_path / "other.py").write_text(other)
    assert Users([]).use(str(tmp_path / "mod.py"), "form") is uses


def test_a_package_and_a_script_that_cannot_be_imported(tmp_path: Path) -> None:
    (tmp_path / "other.py").write_text("import form-mail, __init__\nx\n")
    assert Users([]).use(str(tmp_path / "__init__.py"), "x")
    assert not Users([]).use(str(tmp_path / "form-mail.py"), "x")
