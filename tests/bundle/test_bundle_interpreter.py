"""The first line names an interpreter that a server has, and gives it -IS."""

import pytest

from cgikit.bundle.interpreter import first_line, is_python


@pytest.mark.parametrize(
    ("source", "line"),
    [
        (b"#!/usr/bin/env python3\n", "/usr/bin/python3 -IS"),
        (b"#!/usr/bin/python3.11\r\nx", "/usr/bin/python3.11 -IS"),
        (b"#! /opt/py/bin/python3 -u\n", "/opt/py/bin/python3 -ISu"),
        (b"#!/usr/bin/python3 -IS", "/usr/bin/python3 -IS"),
        (b"#!/srv/venv/bin/python\n", "/usr/bin/python3 -IS"),
        (b"import os\n", "/usr/bin/python3 -IS"),
        (b"", "/usr/bin/python3 -IS"),
    ],
)
def test_what_a_server_may_have_is_kept(source: bytes, line: str) -> None:
    assert first_line(source) == (line, "")


def test_what_is_asked_for_comes_first() -> None:
    assert first_line(b"#!/usr/bin/python3\n", "/opt/p/python3.12")[0] == "/opt/p/python3.12 -IS"
    assert first_line(b"", "/usr/bin/env -S python3")[0] == "/usr/bin/env -S python3 -IS"


def test_an_option_that_cannot_be_joined_is_named() -> None:
    line, note = first_line(b"#!/usr/bin/python3 -X utf8\n")
    assert line == "/usr/bin/python3 -IS"
    assert "'-X utf8'" in note


@pytest.mark.parametrize(
    "wanted",
    [
        "python3",
        "/usr/bin/env python3",
        "/usr/bin/env",
        "/usr/bin/python3 -u",
        "/a\nb",
        "/ü",
        "/" + "a" * 200,
    ],
)
def test_what_cannot_be_in_a_first_line_is_refused(wanted: str) -> None:
    with pytest.raises(ValueError, match="--interpreter"):
        first_line(b"", wanted)


def test_python_is_told_from_others() -> None:
    assert is_python(b"#!/usr/bin/env python3\n")
    assert is_python(b"\xef\xbb\xbf#!/usr/bin/python\r\n")
    assert not is_python(b"#!/usr/bin/perl\nuse python;")
    assert not is_python(b"import python\n")
