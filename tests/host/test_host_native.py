"""Native text: the bytes that came in go out unchanged."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgikit.host.native import native, unescaped


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
