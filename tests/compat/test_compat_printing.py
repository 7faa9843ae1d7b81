"""compat.printing: pieces of pages; everything that came in is escaped, and secrets are hidden."""

import sys
from pathlib import Path

import pytest
from compat.made import get, multipart, part

from cgikit.compat import cgi

HOSTILE = "<script>&"


def test_a_form_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    cgi.print_form(multipart(part(HOSTILE, b"<b>"), part(None, b"2")))
    page = capsys.readouterr().out
    assert "<dt>&lt;script&gt;&amp;</dt>" in page
    assert "&lt;b&gt;" in page
    assert "<dt>None</dt>" in page
    cgi.print_form(get(""))
    assert "No form fields." in capsys.readouterr().out


def test_the_environment_is_printed_without_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    cgi.print_environ({"SERVER_NAME": HOSTILE, "DATABASE_URL": "mysql://u:p@h"})
    page = capsys.readouterr().out
    assert "&lt;script&gt;" in page
    assert "DATABASE_URL" in page
    assert "u:p" not in page


def test_an_error_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        raise ValueError(HOSTILE)
    except ValueError as error:
        cgi.print_exception()
        now = capsys.readouterr().out
        cgi.print_exception(type(error), error, error.__traceback__, 1)
        given = capsys.readouterr().out
    for page in (now, given):
        assert "<strong>ValueError: &lt;script&gt;&amp;\n</strong>" in page
        assert "test_an_error_is_printed" in page


def test_directory_arguments_and_names_are_printed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    directory = tmp_path / "<b>"
    directory.mkdir()
    monkeypatch.chdir(directory)
    monkeypatch.setattr(sys, "argv", [HOSTILE])
    cgi.print_directory()
    cgi.print_arguments()
    cgi.print_environ_usage()
    page = capsys.readouterr().out
    assert f"{tmp_path}/&lt;b&gt;" in page
    assert "[&#x27;" not in page
    assert "['&lt;script&gt;&amp;']" in page
    assert "<li>REQUEST_METHOD</li>" in page
    directory.rmdir()
    cgi.print_directory()
    assert "OSError" in capsys.readouterr().out


def test_an_error_in_the_form_is_on_the_page(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUEST_METHOD", "GET")
    monkeypatch.setenv("QUERY_STRING", "x" * (2 << 20))
    cgi.test({})
    assert "limits.query" in capsys.readouterr().out
