"""One file on the disk: replaced whole or not at all."""

import os
from pathlib import Path

import pytest

from cgikit.errors import StorageError
from cgikit.migrate.change import Change
from cgikit.migrate.source import NotMigrated
from cgikit.migrate.tree import Users

OLD, NEW = "#!/usr/bin/python3\nimport cgi\nx = cgi.test\n", (
    "#!/usr/bin/python3\nfrom cgikit.compat import cgi\nx = cgi.test\n"
)  # fmt: skip


def change(path: Path) -> Change:
    return Change(str(path), Users([]), unsafe=False)


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "s.py"
    path.write_text(OLD)
    path.chmod(0o755)
    return path


def test_a_file_is_replaced_and_keeps_its_mode(script: Path) -> None:
    change(script).write()
    assert (script.read_text(), script.stat().st_mode & 0o777) == (NEW, 0o755)
    assert os.listdir(script.parent) == ["s.py"]


def test_a_file_that_does_not_change_is_not_written(script: Path) -> None:
    script.write_text("x = 1\n")
    before = script.stat()
    change(script).write()
    assert script.stat() == before


def test_the_target_of_a_link_is_changed_and_the_link_stays(script: Path) -> None:
    link = script.with_name("link")
    link.symlink_to("s.py")
    change(link).write()
    assert link.is_symlink()
    assert script.read_text() == NEW


def test_a_file_that_was_changed_meanwhile_is_left(script: Path) -> None:
    found = change(script)
    script.write_text(OLD + "# more\n")
    with pytest.raises(NotMigrated, match="has been changed meanwhile"):
        found.write()
    assert script.read_text() == OLD + "# more\n"


def test_a_file_of_two_names_is_left(script: Path) -> None:
    os.link(script, script.with_name("other.py"))
    with pytest.raises(NotMigrated, match="another name"):
        change(script).write()
    assert script.read_text() == OLD


@pytest.mark.parametrize("name", ["cgi.py", "cgi"])
def test_an_import_of_a_module_beside_the_file_is_left(name: str, script: Path) -> None:
    """A copy of the old module, or something else of that name: it comes before Python's."""
    if name == "cgi":
        (script.parent / "cgi").mkdir()
        assert change(script).outcome.data == NEW.encode(), "a directory of scripts"
        (script.parent / "cgi" / "__init__.py").write_text("")
    else:
        (script.parent / name).write_text("")
    outcome = change(script).outcome
    assert outcome.data is None
    (note,) = outcome.notes
    assert note.text.startswith("the import of cgi takes cgi.py beside it; if that is a copy of")
    (script.parent / "__init__.py").write_text("")  # in a package it is not found
    assert change(script).outcome.data == NEW.encode()


def test_what_is_not_there_or_is_no_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="there is no such file"):
        change(tmp_path / "none.py")
    os.mkfifo(tmp_path / "pipe.py")
    with pytest.raises(StorageError, match="pipe"):
        change(tmp_path / "pipe.py")
