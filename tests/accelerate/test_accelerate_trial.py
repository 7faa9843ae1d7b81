"""`cgikit.accelerate.trial`: a front that does not hand over is found before it is used."""

import os
import socket
import sys
import tempfile
from pathlib import Path

import pytest
from requirement import need

from cgikit.accelerate import installation, trial
from cgikit.accelerate.machine import Machine


@pytest.fixture
def base(tmp_path: Path) -> str:
    path = os.path.realpath(tmp_path / "b")
    os.mkdir(path, 0o700)
    return path


@pytest.mark.parametrize("kind", installation.KINDS)
def test_each_front_works_here(base: str, kind: str) -> None:
    if kind == "perl":
        need("perl")
    text = installation._maker(kind, base, 300)
    assert text is not None
    assert trial.why_not(text, base) == ""
    assert os.listdir(base) == []


def test_wrong_numbers_are_found(base: str, monkeypatch: pytest.MonkeyPatch) -> None:
    need("perl")
    monkeypatch.setattr(installation.machine, "own", lambda: Machine(63, 79, 39, 112))  # getpid
    text = installation._maker("perl", base, 300)
    assert text is not None
    monkeypatch.setattr(trial, "DEADLINE", 0.5)
    assert trial.why_not(text, base) != ""
    assert os.listdir(base) == []


@pytest.mark.parametrize(
    ("body", "said", "deadline"),
    [
        ("print('hello')", "it does not connect", 0.5),
        ("import socket; s = socket.socket(1); s.connect(PLACE); s.send(b'x' * 20)", "message", 60),
    ],
)
def test_a_front_that_does_something_else_is_found(
    base: str, monkeypatch: pytest.MonkeyPatch, body: str, said: str, deadline: float
) -> None:
    monkeypatch.setattr(trial, "DEADLINE", deadline)

    def text(file: str, end: str) -> bytes:
        place = f"{base}/{os.uname().nodename}-{end}/s"
        return f"#!{sys.executable}\nPLACE = {place!r}\n{body}\n".encode()

    assert said in trial.why_not(text, base)


@pytest.mark.parametrize("sent", [b"x" * 20, b""])
def test_a_front_that_is_gone_before_it_is_greeted_is_told_from_one_that_never_came(
    sent: bytes,
) -> None:
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as front:
        with tempfile.TemporaryDirectory() as name:  # pytest's own may be too long for a socket
            listener.bind(f"{name}/s")
            listener.listen(1)
            front.connect(f"{name}/s")
        front.send(sent)
        front.close()
        connection, _ = listener.accept()
        assert "message" in trial._serve(connection, os.getpid())
