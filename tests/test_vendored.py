"""What `cgikit vendor` wrote is recognized by its mark, wherever other commands come across it."""

import os
from pathlib import Path

import pytest

from cgikit import vendored, vendoring


@pytest.mark.parametrize("self_contained", [False, True])
def test_all_that_was_written_is_recognized(tmp_path: Path, self_contained: bool) -> None:
    new = vendoring.write(str(tmp_path), self_contained=self_contained)
    new += vendoring.write(str(tmp_path), stubs=True)
    new += [str(path) for path in (tmp_path / vendored.FOLDER).rglob("*.py")]
    assert len(new) > 30 * self_contained
    assert [path for path in new if not vendored.is_vendored(path)] == []
    assert vendored.is_self_contained(str(tmp_path / "cgi.py")) is self_contained


def test_other_files_of_these_names_are_not(tmp_path: Path) -> None:
    (tmp_path / vendored.FOLDER / "cgikit").mkdir(parents=True)
    (tmp_path / vendored.FOLDER / "cgikit" / "cgi.py").write_text("")
    (tmp_path / "cgi.py").write_text("#!/usr/bin/env python3\nimport os\n")
    (tmp_path / "cgitb.py").mkdir()
    (tmp_path / "cgi.pyi").symlink_to("nowhere")
    (tmp_path / "form.py").write_text(vendoring.text("cgi"))
    assert [str(path) for path in tmp_path.rglob("*") if vendored.is_vendored(str(path))] == []


def test_a_module_that_was_changed_is_still_one_that_was_written(tmp_path: Path) -> None:
    vendoring.write(str(tmp_path))
    with (tmp_path / "cgi.py").open("a") as file:
        file.write("mine = 1\n")
    assert vendored.is_vendored(str(tmp_path / "cgi.py"))


def test_a_file_that_cannot_be_opened_holds_nobody_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "cgi.py")
    assert not vendored.is_vendored(str(tmp_path / "cgi.py"))
