"""Colours, width and the bar: on a terminal, off it, and by the variables that users set."""

import io
import sys
from typing import TextIO

import pytest

from cgikit.cli import terminal
from cgikit.cli.terminal import Progress, bar, has_colours, is_terminal, paint, width


class Seen(io.StringIO):
    """What is written here is seen on a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")


@pytest.mark.parametrize(
    ("stream", "variables", "expected"),
    [
        (Seen(), {}, True),
        (io.StringIO(), {}, False),
        (Seen(), {"TERM": "dumb"}, False),
        (Seen(), {"NO_COLOR": "1"}, False),
        (Seen(), {"NO_COLOR": ""}, True),
        (io.StringIO(), {"FORCE_COLOR": "1"}, True),
        (io.StringIO(), {"FORCE_COLOR": ""}, False),
        (Seen(), {"NO_COLOR": "1", "FORCE_COLOR": "1"}, False),
    ],
)
def test_colours_by_terminal_and_variables(
    monkeypatch: pytest.MonkeyPatch, stream: TextIO, variables: dict[str, str], expected: bool
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert has_colours(stream) is expected


def test_no_terminal_type_is_as_a_dumb_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TERM")
    assert not has_colours(Seen())


@pytest.mark.parametrize("style", terminal.STYLES)
def test_text_is_painted_only_where_it_is_seen(style: str) -> None:
    assert paint("x", style, io.StringIO()) == "x"
    assert paint("x", style, Seen()) == f"\x1b[{terminal.STYLES[style]}mx\x1b[0m"
    assert paint("", style, Seen()) == ""


def test_a_closed_stream_is_not_a_terminal() -> None:
    stream = Seen()
    closed = io.StringIO()
    closed.close()
    assert is_terminal(stream)
    assert not is_terminal(closed)


@pytest.mark.parametrize(("columns", "expected"), [("50", 50), ("5", 20), ("500", 100)])
def test_the_width_has_bounds(monkeypatch: pytest.MonkeyPatch, columns: str, expected: int) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert width() == expected


@pytest.mark.parametrize(
    ("done", "total", "expected"),
    [
        (0, 4, f"[{'':30}]   0%  0 of 4"),
        (1_000, 2_000, f"[{'#' * 15:30}]  50%  1,000 of 2,000"),
        (5, 4, f"[{'#' * 30}] 100%  5 of 4"),
        (0, 0, f"[{'#' * 30}] 100%  0 of 0"),
    ],
)
def test_a_bar_shows_the_share(done: int, total: int, expected: str) -> None:
    assert bar(done, total) == expected


def test_the_bar_is_drawn_and_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Seen())

    def fail() -> None:
        with Progress(after=0) as progress:
            progress(1, 2)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert sys.stderr.getvalue() == f"\r{bar(1, 2)}\r\x1b[K"  # type: ignore[attr-defined]


def test_what_ends_at_once_or_is_not_seen_shows_no_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    for stream, after in ((Seen(), 3600.0), (io.StringIO(), 0.0)):
        monkeypatch.setattr(sys, "stderr", stream)
        with Progress(after) as progress:
            progress(1, 2)
        assert stream.getvalue() == ""
