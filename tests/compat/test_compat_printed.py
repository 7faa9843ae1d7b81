"""compat.printed: how far a script has come with what it prints."""

import io
from typing import Any

import pytest

from cgikit.compat.printed import missing, watch

HEADER = "Content-Type: text/html"


def output(**options: Any) -> tuple[io.TextIOWrapper, io.BytesIO]:
    class Raw(io.BytesIO):
        pass  # its attributes can be set, as those of standard output's buffer can

    raw = Raw()
    return io.TextIOWrapper(raw, encoding="utf-8", **options), raw


@pytest.mark.parametrize(
    ("printed", "expected"),
    [
        ("", f"{HEADER}\n\n"),
        ("Content-Type: text/html\n\n", ""),
        ("Content-Type: text/html\r\n\r\n", ""),
        ("Content-Type: text/html\n", "\n"),
        ("content-type: text/html", "\n\n"),
        ("Set-Cookie: a=b\n", f"{HEADER}\n\n"),
        ("Set-Cookie: a=b", f"\n{HEADER}\n\n"),
        ("<html>", ""),  # the header was printed where it is not seen
        ("Hello\n", ""),
        ("X-Y: " + "z" * 100_000, ""),
    ],
)
def test_what_is_missing_of_a_header(printed: str, expected: str) -> None:
    for size in (1, 7, 1 << 20):
        file, raw = output()
        watch(file)
        for start in range(0, len(printed), max(size, len(printed) // 50)):
            file.write(printed[start : start + max(size, len(printed) // 50)])
            file.flush()
        assert missing(file, HEADER) == expected
        assert raw.getvalue() == printed.encode()


def test_bytes_and_another_text_above_them_are_seen() -> None:
    file, raw = output()
    watch(file)
    file.buffer.write(memoryview(b"Content-Type: text/html\n\n"))
    assert missing(file, HEADER) == ""
    file, raw = output()
    watch(file)
    other = io.TextIOWrapper(file.detach(), encoding="ascii")
    other.write("Content-Type: text/html\n\n")
    assert missing(other, HEADER) == ""
    other.writelines(["a", "b"])
    other.flush()
    assert raw.getvalue() == b"Content-Type: text/html\n\nab"


def test_what_waits_to_be_written_when_it_begins_is_seen() -> None:
    file, _ = output()
    file.write("Content-Type: text/html\n\n")
    assert missing(file, HEADER) == ""


def test_a_file_is_watched_once_and_left_alone_after_the_header() -> None:
    file, raw = output()
    first = watch(file)
    assert watch(file) is first
    file.write("A: b\n\n")
    file.flush()
    assert "write" not in vars(raw)
    assert watch(file) is first
    assert missing(file, HEADER) == ""


def test_files_that_cannot_be_watched() -> None:
    assert watch(None) is None
    assert watch(io.StringIO()) is None
    assert missing(None, HEADER) == f"{HEADER}\n\n"
    assert missing(io.StringIO(), HEADER) == f"{HEADER}\n\n"
    text = io.StringIO()
    text.write("x")
    assert missing(text, HEADER) == ""
