"""`--help` of a script explains its command line, and shows examples that work."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from child import write_script

from cgikit.offline import command

SCRIPT = (
    "run(lambda request: request.method + str(request.form if request.files else request.params))"
)
ENV = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}


def helped(
    tmp_path: Path, *words: str, name: str = "script.py"
) -> "subprocess.CompletedProcess[str]":
    write_script(tmp_path, SCRIPT, name)
    return subprocess.run(
        [sys.executable, name, *words], cwd=tmp_path, env=ENV, capture_output=True, text=True
    )


@pytest.mark.parametrize(
    "words", [["--help"], ["get", "/x", "--help"], ["post", "/x", "-h", "a=1"]]
)
def test_help_is_printed(tmp_path: Path, words: list[str]) -> None:
    done = helped(tmp_path, *words)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: script.py [NAME=VALUE | WORD]...\n")
    assert max(map(len, done.stdout.splitlines())) < 80


def test_every_option_and_method_is_in_it(tmp_path: Path) -> None:
    text = helped(tmp_path, "--help").stdout
    for long in command._LONG:
        assert f"--{long.rstrip('=')}" in text
    for letter in command._SHORT.replace(":", "").replace("h", ""):
        assert f"  -{letter}, --" in text
    for method in command._METHODS:
        assert method.lower() in text


def test_the_examples_work(tmp_path: Path) -> None:
    (tmp_path / "cat.jpg").write_bytes(b"\xff\xd8")
    (tmp_path / "order.json").write_text("{}")
    text = helped(tmp_path, "--help").stdout
    examples = [shlex.split(line)[1:] for line in text.partition("examples:\n")[2].splitlines()]
    assert len(examples) == 5
    for words in examples:
        done = helped(tmp_path, *words)
        wanted = "415" if "put" in words else ""
        assert (done.returncode, wanted in done.stdout) == (0, True), words
        assert "Traceback" not in done.stderr


def test_a_script_of_any_name_has_help(tmp_path: Path) -> None:
    done = helped(tmp_path, "--help", name="ü.py")
    assert done.stdout.startswith("usage: ü.py ")
