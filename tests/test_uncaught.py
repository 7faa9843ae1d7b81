"""uncaught: what has left standard output when a script fails, and whose errors are answered."""

import io
import sys
from pathlib import Path

import pytest
from child import run_script

from cgikit import uncaught
from cgikit.uncaught import Watched, install

#: Its answer tells what it was given, on standard error.
TELLS = """
from cgikit import uncaught
def answer(error, watched, debug):
    sys.stderr.write(f"{type(error).__name__} {watched.count} {watched.head[:4]} {debug}")
    raise SystemExit(5)
uncaught.install(answer)
"""


def test_what_has_left_is_counted_and_its_beginning_kept() -> None:
    raw = io.BytesIO()

    class Raw:
        def write(self, data: bytes) -> int:
            return raw.write(data[:4])  # takes a part, as a pipe may

    watched = Watched(Raw())
    assert [watched(b"abcdef"), watched(b"ef")] == [4, 2]
    assert (watched.count, watched.head) == (6, b"abcdef")
    for _ in range(20_000):
        watched(b"wxyz")
    assert watched.count == 80_006
    assert len(watched.head) == 65_536


@pytest.mark.parametrize(
    ("printed", "told"),
    [
        ("", "0 b''"),
        ("print('abcde')", "0 b''"),  # it is in the buffer yet
        ("print('abcde', flush=True)", "6 b'abcd'"),
        ("sys.stdout.buffer.write(b'x' * 100_000)", "b'xxxx'"),
    ],
)
def test_an_uncaught_error_is_handed_over(tmp_path: Path, printed: str, told: str) -> None:
    answer = run_script(tmp_path, f"{TELLS}{printed}\n1 / 0\n")
    assert answer.errors.startswith("ZeroDivisionError ")
    assert answer.errors.endswith(f"{told} None")
    assert answer.code == 5


@pytest.mark.parametrize("error", ["BaseException", "GeneratorExit"])
def test_every_other_exception_is_handed_over_too(tmp_path: Path, error: str) -> None:
    assert run_script(tmp_path, f"{TELLS}raise {error}").errors.startswith(f"{error} 0")


def test_an_interrupt_goes_to_the_hook_before(tmp_path: Path) -> None:
    answer = run_script(tmp_path, f"{TELLS}raise KeyboardInterrupt")
    assert answer.errors.startswith("Traceback")
    assert "KeyboardInterrupt" in answer.errors


def test_it_can_be_installed_twice(tmp_path: Path) -> None:
    again = "uncaught.install(answer, True)\nuncaught.install(answer)\n"
    answer = run_script(tmp_path, f"{TELLS}{again}print('abc', flush=True)\n1 / 0\n")
    assert answer.errors == "ZeroDivisionError 4 b'abc\\n' True"


def test_a_standard_output_that_cannot_be_watched_is_left_alone(tmp_path: Path) -> None:
    told = TELLS.replace("watched.count", "watched").replace(" {watched.head[:4]}", "")
    source = f"import io\nsys.stdout = io.StringIO()\n{told}1 / 0\n"
    assert run_script(tmp_path, source).errors == "ZeroDivisionError None None"
    assert run_script(tmp_path, f"sys.stdout = None\n{told}1 / 0\n").code == 5


def test_without_a_request_nothing_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REQUEST_METHOD", raising=False)
    before = sys.excepthook
    install(lambda *_: None, log="/nowhere/log")
    assert sys.excepthook is before
    assert not isinstance(before, uncaught.Uncaught)
