"""`cgikit migrate`: what it prints, and what it ends with."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cgikit import vendoring
from cgikit.cli import main

OLD = "import cgi\nprint(cgi.escape('<'))\n"
NEW = "import html\nprint(html.escape('<', quote=False))\n"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "a.py").write_text(OLD)
    (tmp_path / "bin" / "b.py").write_text("x = 1\n")
    return tmp_path


def test_it_shows_a_diff_and_changes_nothing(site: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["migrate", "bin"]) == 0
    shown, said = capfd.readouterr()
    assert shown.startswith("--- a/bin/a.py\n+++ b/bin/a.py\n@@")
    assert "+import html\n" in shown
    assert said == "1 file would change; --write changes them\n"
    assert (site / "bin" / "a.py").read_text() == OLD


def test_the_last_line_says_what_unsafe_would_add(
    site: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (site / "bin" / "a.py").write_text(
        "import cgi\nform = cgi.FieldStorage()\nprint(form.getvalue('a'), cgi.parse_header('a'))\n"
    )
    for options in ([], ["--write"], ["--check"]):
        main(["migrate", *options, "bin"])
        last = capfd.readouterr().err.splitlines()[-1]
        assert last == "--unsafe would rewrite 2 more places", options
    main(["migrate", "--unsafe", "--write", "bin"])
    assert "more place" not in capfd.readouterr().err
    main(["migrate", "bin"])
    assert "more place" not in capfd.readouterr().err


def test_write_changes_the_files(site: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["migrate", "--write", "bin", "bin/a.py"]) == 0
    assert capfd.readouterr() == ("changed bin/a.py\n", "1 file changed\n")
    assert (site / "bin" / "a.py").read_text() == NEW
    assert main(["migrate", "--write", "bin"]) == 0
    assert capfd.readouterr() == ("", "0 files changed\n")


def test_check_is_for_ci(site: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["migrate", "--check", "bin"]) == 1
    assert capfd.readouterr().out == "would change bin/a.py\n"
    assert (site / "bin" / "a.py").read_text() == OLD
    assert main(["migrate", "--check", "bin/b.py"]) == 0


def test_what_was_not_touched_is_reported(site: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (site / "bin" / "a.py").write_text("import cgi\nform = cgi.FieldStorage()\nf(form)\n")
    (site / "bin" / "old.py").write_text("import cgi\nprint 'x'\n")
    assert main(["migrate", "--unsafe", "bin"]) == 0
    lines = capfd.readouterr().err.splitlines()
    assert lines[0] == (
        "bin/a.py:3: the FieldStorage (made in line 2) stays: the program passes it on [not touched]"
    )
    assert lines[1].startswith("bin/old.py:2: Python 2 (a print statement): convert it first")
    assert lines[2] == "1 file would change; --write changes them; 1 left as a whole"
    assert main(["migrate", "--check", "bin/old.py"]) == 1


def test_a_file_that_is_not_there_does_not_stop_the_others(
    site: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["migrate", "--write", "none.py", "bin"]) == 1
    assert "cgikit migrate: none.py: there is no such file" in capfd.readouterr().err
    assert (site / "bin" / "a.py").read_text() == NEW


def test_a_file_that_cannot_be_written_is_said_and_stays(
    site: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    os.link(site / "bin" / "a.py", site / "bin" / "c.txt")
    assert main(["migrate", "--write", "bin"]) == 0
    assert "a hard link" in capfd.readouterr().err
    assert (site / "bin" / "a.py").read_text() == OLD


@pytest.mark.parametrize("self_contained", [False, True])
def test_beside_a_vendored_cgi_the_scripts_are_rewritten_and_the_next_step_is_named(
    site: Path, self_contained: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    """It took that file for another program's module, and left the scripts as they were."""
    (site / "bin" / "a.py").write_text("import cgi\nprint(cgi.FieldStorage())\n")
    vendoring.write(str(site / "bin"), self_contained=self_contained)
    written = (site / "bin" / "cgi.py").read_bytes()
    for paths, step in ((["bin"], "bin"), (["bin/cgi.py"], "bin"), (["bin/a.py"], "bin")):
        assert main(["migrate", *paths]) == 0
        shown, said = capfd.readouterr()
        assert ("+from cgikit.compat import cgi\n" in shown) is (paths != ["bin/cgi.py"])
        assert [line for line in said.splitlines() if line.startswith("bin/cgi")] == [
            "bin/cgi.py:1: cgikit vendor wrote this. When no script here imports it any more, remove "
            f"it: cgikit vendor cgi {step} --remove"
            + ". It brings its own cgikit: rewritten scripts need one installed for their Python"
            * self_contained + " [not touched]"
        ]  # fmt: skip
    assert main(["migrate", "--write", "bin"]) == 0
    assert capfd.readouterr().out == "changed bin/a.py\n"
    assert (site / "bin" / "cgi.py").read_bytes() == written
    assert main(["migrate", "--check", "bin"]) == 0, "nothing is left to do for the scripts"
    assert main(["vendor", "cgi", "bin", "--remove"]) == 0
    capfd.readouterr()
    assert main(["migrate", "--check", "bin"]) == 0
    assert "--remove" not in capfd.readouterr().err


@pytest.mark.parametrize("words", [[], ["--check", "--write", "bin"], ["--wriet", "bin"]])
def test_wrong_usage_is_2(words: list[str], site: Path) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["migrate", *words])
    assert caught.value.code == 2


def test_without_libcst_the_extra_is_named(site: Path) -> None:
    program = (
        "import sys; sys.modules['libcst'] = None\n"
        "from cgikit.cli import main\nsys.exit(main(['migrate', 'bin']))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "cgikit migrate: LibCST is not installed (the extra cgikit[migrate]): "
        "pip install 'libcst>=1.5'\n"
    )


def test_other_commands_do_not_load_libcst() -> None:
    program = "import sys, cgikit.cli; cgikit.cli.parser(); sys.exit('libcst' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0
