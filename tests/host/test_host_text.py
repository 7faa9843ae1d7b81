"""One event is one line of the log (S22)."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgikit.host.text import native, one_line, unescaped


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


@given(st.binary())
def test_bytes_survive(data: bytes) -> None:
    assert os.fsencode(native(data.decode("latin-1"))) == data


@pytest.mark.parametrize(
    ("text", "raw"),
    [
        ("", b""),
        ("a+b", b"a+b"),
        ("%41%c3%A9", b"A\xc3\xa9"),
        ("é%20\udcff", b"\xc3\xa9 \xff"),
        ("%2525", b"%25"),
        ("%", None),
        ("%4", None),
        ("%zz", None),
        ("%+4", None),
        ("\uff05\uff14\uff11", "\uff05\uff14\uff11".encode()),  # other digits, another percent sign
    ],
)
def test_percent_escapes(text: str, raw: bytes | None) -> None:
    assert unescaped(text) == raw
