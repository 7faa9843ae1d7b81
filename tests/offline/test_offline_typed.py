"""Fields that are typed at a terminal, or come from a pipe, are those of the request."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from child import DEADLINE, run_script, write_script

SHOW = """
def show(request):
    return f"{request.method} {request.query.pairs()} {request.keywords} {request.form.pairs()}"
run(show)
"""
ENV = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}


@pytest.mark.parametrize(
    ("words", "typed", "page"),
    [
        (["--debug"], b"a=1\nb=x y&%41=\n", "GET [('a', '1'), ('b', 'x y&%41=')] [] []"),
        (["--debug"], b"\na=1\r\n\nword", "GET [('a', '1'), ('word', '')] [] []"),
        (["--debug"], b"two\nwords", "GET [('two words', '')] ['two', 'words'] []"),
        (["--debug"], b"a=\xff\xc3\xbc", "GET [('a', '\ufffdü')] [] []"),
        (["--debug"], b"", "GET [] [] []"),
        (["--debug", "a=1"], b"b=2", "GET [('a', '1'), ('b', '2')] [] []"),
        (["--debug", "/x?a=1"], b"b=2", "GET [('a', '1'), ('b', '2')] [] []"),
        (["--debug", "post", "/x", "a=1"], b"b=2", "POST [] [] [('a', '1'), ('b', '2')]"),
        (["get", "/x?a=1", "--debug"], b"b=2", "GET [('a', '1'), ('b', '2')] [] []"),
        (["post", "/x", "--debug", "-F", "a=1"], b"b=2", "POST [] [] [('b', '2'), ('a', '1')]"),
        (["post", "/x", "-b", "@-"], b"b=2\n", "POST [] [] [('b', '2\\n')]"),
    ],
)
def test_fields_from_a_pipe(tmp_path: Path, words: list[str], typed: bytes, page: str) -> None:
    env = {**ENV, "QUERY_STRING": ""}
    answer = run_script(tmp_path, SHOW, *words, stdin=typed, env=env)
    assert (answer.errors, answer.page) == ("", page)


def test_fields_from_a_terminal(tmp_path: Path) -> None:
    script = write_script(tmp_path, SHOW)
    master, slave = pty.openpty()
    os.write(master, b"a=1\nb=two words\n\x04")  # Ctrl-D
    done = subprocess.run(
        [sys.executable, str(script), "--debug"], stdin=slave, capture_output=True, env=ENV,
        cwd=tmp_path, timeout=DEADLINE, text=True,
    )  # fmt: skip
    os.close(slave)
    os.close(master)
    assert done.stderr == "(enter fields, one NAME=VALUE a line; end with Ctrl-D)\n"
    assert done.stdout.endswith("\n\nGET [('a', '1'), ('b', 'two words')] [] []")


def test_a_closed_standard_input_has_no_fields(tmp_path: Path) -> None:
    for words in (["--debug"], ["post", "/x", "-b", "@-"]):
        answer = run_script(tmp_path, SHOW, *words, redirect="<&-", env=ENV)
        assert (answer.code, answer.errors) == (0, "")


def test_endless_input_is_refused(tmp_path: Path) -> None:
    answer = run_script(tmp_path, SHOW, "--debug", redirect="< /dev/zero", env=ENV)
    assert (answer.code, answer.output) == (2, b"")
    assert "standard input has more than 8388608 bytes; give less; see" in answer.errors
