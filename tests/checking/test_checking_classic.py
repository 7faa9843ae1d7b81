"""The classic mistakes: `cgikit check` names each, with the line and the fix, and the page of `cgikit
serve` has the same words.
"""

import os
import sys
from pathlib import Path

import pytest

from cgikit.cli import parser
from cgikit.cli.check import check
from cgikit.testing import Client

PYTHON = f"#!{sys.executable}\n"
HEAD = 'print("Content-Type: text/html; charset=utf-8\\n")\n'

#: The source, the mode; what both say; the line, and a part of the fix.
MISTAKES = {
    "no blank line": (
        PYTHON + 'print("Content-Type: text/html")\nprint("<p>Hi")\n',
        "There is no blank line after the headers.",
        3,
        "empty line between the headers and the body",
    ),
    "CRLF": ("#!/usr/bin/env python3\r\n" + HEAD, "has Windows line ends", 0, "sed -i"),
    "wrong shebang": ("#!/usr/bin/pyton3\n" + HEAD, "does not exist", 0, "first line"),
    "syntax error": (PYTHON + HEAD + 'print("x"\n', "was never closed", 3, "Correct line 3"),
    "print before the header": (
        PYTHON + 'print("Hello")\n' + HEAD,
        "does not begin with headers",
        2,
        "Before anything else",
    ),
    "crash before the header": (PYTHON + "1 / 0\n", "exited with status 1", 2, "line 2"),
    "crash after the header": (
        PYTHON + HEAD + "1 / 0\n",
        "exited with status 1 after it had begun to print",
        3,
        "line 3",
    ),
    "a racing counter": (
        PYTHON + HEAD + "n = open('n').read()\nopen('n', 'w').write(n + 'x')\n",
        "of two requests at once, one change is lost",
        4,
        "Counter",
    ),
}
#: What `Client`, which has the host's answer alone, cannot see; tests/cli/test_cli_advising.py has the
#: console, tests/cli/test_cli_serve_mistakes.py the pages.
ONLY_CHECK = {
    "syntax error",
    "crash after the header",
    "a racing counter",
}


@pytest.mark.parametrize("name", MISTAKES)
def test_check_names_the_mistake_the_line_and_the_fix(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    source, words, line, fix = MISTAKES[name]
    file = tmp_path / "a.py"
    file.write_bytes(source.encode())
    file.chmod(0o755)
    (tmp_path / "n").write_text("")
    check(parser().parse_args(["check", str(file)]))
    out = capsys.readouterr().out
    assert words in out
    assert fix in out
    if line:
        assert f"line {line}" in out.lower()


@pytest.mark.parametrize("name", [name for name in MISTAKES if name not in ONLY_CHECK])
def test_the_host_says_the_same(tmp_path: Path, name: str) -> None:
    source, words, line, fix = MISTAKES[name]
    file = tmp_path / "a.py"
    file.write_bytes(source.encode())
    file.chmod(0o755)
    answer = Client(str(file), raise_errors=False).get("/")
    assert answer.error is not None
    assert words in str(answer.error)
    assert fix in str(answer.error)
    if name == "crash before the header":
        assert f"names line {line}." in str(answer.error)


def test_no_x_bit(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "a.py"
    file.write_text(PYTHON + HEAD)
    file.chmod(0o644)
    check(parser().parse_args(["check", str(file)]))
    out = capsys.readouterr().out
    assert "a.py is not executable." in out
    assert f"chmod a+rx {file}" in out
    assert os.listdir(tmp_path) == ["a.py"]


def test_an_endless_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("cgikit.probing.checkup.ONE_RUN", 1.0)
    file = tmp_path / "a.py"
    file.write_text(PYTHON + HEAD + "n = 0\nwhile True: n += 1\n")
    file.chmod(0o755)
    check(parser().parse_args(["check", str(file)]))
    out = capsys.readouterr().out
    assert "was stopped. It was in line 4." in out
    assert "a loop that does not end" in out
