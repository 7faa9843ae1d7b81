"""docs/man/cgikit.1, the manual page: what the commands have, in roff that formatters understand."""

import subprocess
import zipfile
from pathlib import Path

import manual
import pytest
from house import ROOT
from requirement import need

from cgikit.cli import parser

PAGE = ROOT / "docs" / "man" / "cgikit.1"


def test_the_page_is_what_the_parsers_say() -> None:
    assert PAGE.read_text() == manual.manual(), "run: make man"


def test_the_page_is_ascii_with_short_lines() -> None:
    data = PAGE.read_bytes()
    assert data.isascii()
    assert max(map(len, data.splitlines())) <= 80


@pytest.mark.parametrize(
    ("text", "roff"),
    [
        ("--port", "\\-\\-port"),
        (".py files", "\\&.py files"),
        ("the script's \\", "the script\\(aqs \\e"),
        ("images, …", "images, ..."),
        ("é", "\\[u00E9]"),
    ],
)
def test_nothing_in_a_text_is_taken_for_a_request_of_roff(text: str, roff: str) -> None:
    assert manual.quoted(text) == roff


def shown(program: str, *options: str) -> str:
    """What a formatter of manuals makes of the page. It must have nothing to complain of."""
    done = subprocess.run(
        [need(program), *options, str(PAGE)], capture_output=True, timeout=60, check=True
    )
    assert done.stderr == b""
    return done.stdout.decode("ascii", "replace")


def test_mandoc_shows_each_command_and_option() -> None:
    text = " ".join(shown("mandoc", "-Tascii", "-Owidth=200").split())
    while "\b" in text:  # bold is struck twice
        place = text.index("\b")
        text = text[: place - 1] + text[place + 1 :]
    for each in parser().commands.choices.values():
        assert str(each.description).partition(".")[0] in text
        for action in manual.actions(each):
            for option in action.option_strings:
                assert option in text


def test_mandoc_finds_no_fault() -> None:
    """But that it has no date: cgikit is not released yet."""
    done = subprocess.run(
        [need("mandoc"), "-Tlint", str(PAGE)], capture_output=True, text=True, timeout=60
    )
    faults = done.stdout.splitlines()
    assert [fault for fault in faults if 'missing date, using ""' not in fault] == []


def test_groff_warns_of_nothing() -> None:
    assert shown("groff", "-man", "-Tascii", "-ww", "-z") == ""


def test_the_wheel_brings_the_page(tmp_path: Path) -> None:
    """`man cgikit` finds it where pip puts it: share/man/man1 beside bin."""
    from hatchling.builders.wheel import WheelBuilder

    (made,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    with zipfile.ZipFile(made) as wheel:
        (name,) = [each for each in wheel.namelist() if each.endswith("/share/man/man1/cgikit.1")]
        assert wheel.read(name) == PAGE.read_bytes()
