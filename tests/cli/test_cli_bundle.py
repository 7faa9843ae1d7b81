"""`cgikit bundle`: what it says, and its exit status."""

import io
import sys
from pathlib import Path

import pytest
from bundled import ask

from cgikit.cli import bundle, main
from cgikit.cli.terminal import Progress

SCRIPT = "#!/usr/bin/env python3\nfrom cgikit import run\nrun(lambda request: 'hello')\n"


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """A script, with data of visitors beside it."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "hello.py").write_text(SCRIPT)
    return tmp_path / "site" / "hello.py"


def test_a_script_is_bundled(
    script: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    line = ["bundle", str(script), "-o", str(out), "--interpreter", sys.executable]
    assert main(line) == 0
    told = capsys.readouterr().out
    assert told.startswith(f"wrote {out}: ")
    assert f"hello.py: #!{sys.executable} -IS" in told
    assert ask(out / "hello.py").body == "hello"
    assert main(line) == 1
    assert "--force replaces it" in capsys.readouterr().err
    assert main([*line, "--force"]) == 0
    assert ask(out / "hello.py").body == "hello"


def test_what_is_left_out_is_said(
    script: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (script.parent / "data").mkdir()
    (script.parent / ".htpasswd").touch()
    line = ["bundle", str(script.parent), "--python", "3.99", "-o"]
    assert main([*line, str(tmp_path / "out")]) == 0
    told = capsys.readouterr().out
    assert "left out: data/: data that scripts keep stays here" in told
    assert "left out: .htpasswd: looks like a secret" in told
    assert "no Python 3.99 was found here" in told
    assert main([*line, str(tmp_path / "all"), "--with-data"]) == 0
    assert "left out" not in capsys.readouterr().out


def test_names_cannot_command_the_terminal(
    script: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    evil = "evil\033]0;PWN\007\033[2Jx"
    (script.parent / f"{evil}.log").touch()
    (script.parent / f"{evil}.py").write_text(SCRIPT)
    line = ["bundle", str(script.parent), "-o"]
    assert main([*line, str(tmp_path / f"{evil}out")]) == 0
    (script.parent / f"{evil}.py").write_text(SCRIPT + "import nowhere\n")
    assert main([*line, str(tmp_path / "again")]) == 1
    out, err = capsys.readouterr()
    assert "\\x1b[2Jx.log: data" in out
    assert "\033" not in out + err
    assert "\\x1b[2Jx.py:4: nowhere is not found" in err


def test_what_cannot_be_bundled_is_said(
    script: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script.write_text(SCRIPT + "import nowhere, gone\n")
    assert main(["bundle", str(script), "-o", str(tmp_path / "out")]) == 1
    assert capsys.readouterr().err.splitlines() == [
        "cgikit bundle: hello.py:4: gone is not found",
        "cgikit bundle: hello.py:4: nowhere is not found",
    ]
    assert not (tmp_path / "out").exists()
    assert main(["bundle", str(script), "-o", str(tmp_path / "out"), "--include", "no"]) == 1
    script.write_text(SCRIPT)
    assert main(["bundle", str(script), "-o", str(tmp_path / "no" / "out")]) == 1
    assert "no such file or directory" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["nowhere.py", "-o", "out"],
        ["site", "-o", "site/out"],
        ["site/hello.py", "-o", "out", "--python", "2.7"],
        ["site/hello.py", "-o", "out", "--interpreter", "/usr/bin/env python3"],
    ],
)
def test_wrong_usage_is_2(
    words: list[str], script: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["bundle", *words]) == 2
    assert not (tmp_path / "out").exists()


class Terminal(io.StringIO):
    """A terminal that remembers."""

    def isatty(self) -> bool:
        return True


def test_what_takes_long_shows_a_bar_which_goes_away(
    script: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(bundle, "Progress", lambda: Progress(after=0))
    assert main(["bundle", str(script.parent), "-o", str(tmp_path / "out")]) == 0
    assert " of 1" in terminal.getvalue()
    assert terminal.getvalue().endswith("\r\x1b[K")


def test_with_a_front_it_says_what_to_do_on_the_host(
    script: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """tests/accelerate/test_accelerate_carried.py uploads such a bundle, and asks for its front."""
    out = tmp_path / "out"
    line = ["bundle", str(script.parent), "-o", str(out), "--accelerate", "../../own"]
    (script.parent / "inner").mkdir()
    (script.parent / "inner" / "two.py").write_text(SCRIPT)
    (script.parent / "inner" / "unbuffered.py").write_text(
        SCRIPT.replace("env python3", "python3 -u")
    )
    assert main(line) == 0
    told = capsys.readouterr().out
    assert "unbuffered.py: has no front, because its first line is" in told
    assert "make the folder ../../own, empty, with mode 700" in told
    assert sorted(path.name for path in out.rglob("*.cgi")) == ["hello.cgi", "two.cgi"]
    assert (out / "hello.cgi").stat().st_mode & 0o777 == 0o755
    assert (out / "cgikit_bundle" / "accelerated").read_text() == (
        "script hello.py\nscript inner/two.py\n"
    )
    assert main([*line, "--force"]) == 0


@pytest.mark.parametrize(
    "folder",
    ["own", "/own", "..", "../", "../..", "../a/../b", ".././a", "../a b", "../it's", "../a/",
     "../ä", "../$x", "../a\n"],
)  # fmt: skip
def test_the_folder_of_a_daemon_is_above_the_bundle(
    script: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], folder: str
) -> None:
    out = tmp_path / "out"
    assert main(["bundle", str(script), "-o", str(out), "--accelerate", folder]) == 2
    assert "such as ../cgikit-daemon" in capsys.readouterr().err
    assert not out.exists()


def test_no_front_replaces_a_file_of_the_site(
    script: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (script.parent / "hello.cgi").write_text("#!/bin/sh\n")
    out = tmp_path / "out"
    line = ["bundle", str(script.parent), "-o", str(out), "--accelerate", "../own"]
    assert main(line) == 1
    assert "hello.cgi: has the name of a front" in capsys.readouterr().err
    assert not out.exists()


def test_where_no_script_can_have_a_front_it_says_why(
    script: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script.rename(script.with_name("grüße.py"))
    line = ["bundle", str(script.parent), "-o", str(tmp_path / "out"), "--accelerate", "../own"]
    assert main(line) == 1
    told = capsys.readouterr().err
    assert "no script can have a front" in told
    assert "name it in ASCII" in told
