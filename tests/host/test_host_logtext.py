"""One event is one line of the log (S22)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgikit.host.logtext import Lines, one_line


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("plain ü €", "plain ü €"),
        ("a\tb", "a\tb"),
        ("a\r\nb", r"a\r\nb"),
        ("\x1b[2J", r"\x1b[2J"),
        ("\u2028\x85\x00", r"\u2028\x85\x00"),
        ("\udcff", r"\udcff"),
        ("\u202egnp", r"\u202egnp"),
    ],
)
def test_lines(text: str, line: str) -> None:
    assert one_line(text) == line


def test_a_long_line_is_cut() -> None:
    assert one_line("x" * 12, limit=10) == "xxxxxxxxxx… (2 more characters)"


@given(st.text())
def test_any_text_is_one_encodable_line(text: str) -> None:
    line = one_line(text)
    assert len(line.splitlines()) <= 1
    line.encode()


def cut(data: bytes, size: int) -> list[str]:
    """The lines of a stream that arrives in pieces of `size` bytes."""
    lines, found = Lines(), []
    for at in range(0, len(data), size):
        found += lines.feed(data[at : at + size])
    return found + lines.end()


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_a_stream_gives_the_same_lines_however_it_is_cut(size: int) -> None:
    assert cut(b"one\r\n\n\xfftwo\x1b\nlast", size) == ["one", "", r"\xfftwo\x1b", "last"]


def test_a_line_is_given_when_it_ends_and_what_is_left_at_the_end() -> None:
    lines = Lines()
    assert lines.feed(b"one\ntw") == ["one"]
    assert lines.feed(b"o") == []
    assert lines.end() == ["two"]
    assert lines.end() == []


@pytest.mark.parametrize("size", [1_000, 1 << 20])
def test_a_line_without_an_end_is_broken_and_takes_no_memory(size: int) -> None:
    lines, found = Lines(), []
    for _ in range(0, 10 * Lines.MAX_BYTES, size):
        found += lines.feed(b"x" * size)
        assert len(lines._rest) <= Lines.MAX_BYTES
    assert found
    assert {len(line) for line in found} == {Lines.MAX_BYTES}
