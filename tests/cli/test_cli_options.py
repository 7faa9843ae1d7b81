"""The options that several commands share: what each accepts, and what it says of the rest."""

import argparse
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from cgikit.cli import options
from cgikit.cli.commandline import Parser

DIGITS = "9" * 5_000


@pytest.mark.parametrize("text", ["1", "08", "20"])
def test_a_number_in_its_range_is_accepted(text: str) -> None:
    assert options.number(1, 20)(text) == int(text)


@pytest.mark.parametrize(
    "text", ["0", "21", "-1", "+1", "1.0", "1_0", " 1", "", "x", "²", "٣", DIGITS, "0" * 40 + "21"]
)
def test_any_other_text_is_not_a_number_and_the_range_is_named(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError) as caught:
        options.number(1, 20)(text)
    assert str(caught.value) == f"{text!r} is not a number from 1 to 20"


@pytest.mark.parametrize(
    ("least", "text", "port"), [(0, "0", 0), (1, "1", 1), (1, "65535", 65_535), (0, "080", 80)]
)
def test_a_port(least: int, text: str, port: int) -> None:
    assert options.port(least)(text) == port


@pytest.mark.parametrize(
    ("least", "text"), [(1, "0"), (0, "65536"), (0, "-1"), (0, ""), (0, "http"), (0, DIGITS)]
)
def test_any_other_text_is_not_a_port(least: int, text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError) as caught:
        options.port(least)(text)
    assert str(caught.value) == f"{text!r} is not a port from {least} to 65535"


@pytest.mark.parametrize(
    ("convert", "text"),
    [
        (options.environment_name, "LANG"),
        (options.passing, "GEOIP_*"),
        (options.passing, "HTTP_X"),
    ],
)
def test_a_name_is_returned(convert: Callable[[str], str], text: str) -> None:
    assert convert(text) == text


@pytest.mark.parametrize(
    ("convert", "text", "wrong"),
    [
        (options.environment_name, "LÄNG", "'LÄNG' is not the name of a variable"),
        (options.environment_name, "A=b c", "set it first: A='b c' cgikit …, and give --env A"),
        (options.environment_name, "a b=c", "passes a variable of this environment"),
        (options.passing, "*", "'*'"),
        (options.passing, "A B", "'A B'"),
    ],
)
def test_any_other_name_is_refused(convert: Callable[[str], str], text: str, wrong: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError) as caught:
        convert(text)
    assert wrong in str(caught.value)


def test_a_variable_that_is_not_set_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CGIKIT_IS_SET", "")
    monkeypatch.delenv("CGIKIT_IS_NOT_SET", raising=False)
    assert options.unset(["CGIKIT_IS_SET", "CGIKIT_IS_NOT_SET"]) == [
        "CGIKIT_IS_NOT_SET is not set in this environment"
    ]


def test_the_options_are_added_with_their_help() -> None:
    parser = Parser(prog="x")
    options.add_root(parser)
    options.add_environment(parser)
    found = parser.parse_args(["cgi-bin", "--env", "A", "--env", "B"])
    assert (found.root, found.env) == ("cgi-bin", ["A", "B"])
    assert parser.parse_args(["x"]).env == []
    options.add_environment(other := Parser(prog="y"), str.lower)
    assert other.parse_args(["--env", "A"]).env == ["a"]


def test_why_one_script_cannot_run(tmp_path: Path) -> None:
    file = tmp_path / "it's.py"
    assert options.cannot_run(str(file)) == f"{file} does not exist"
    file.write_text("")
    file.chmod(0o644)
    quoted = str(file).replace("'", "'\"'\"'")
    assert options.cannot_run(str(file)) == f"{file} is not executable: chmod +x '{quoted}'"
    file.chmod(0o755)
    assert options.cannot_run(str(file)) == ""
    below = file / "x"
    assert options.cannot_run(str(below)) == f"{below} cannot be reached: Not a directory"
    os.mkfifo(tmp_path / "fifo")
    assert options.cannot_run(str(tmp_path / "fifo")).endswith("neither a directory nor a script")


@pytest.mark.parametrize(
    ("mode", "listed", "verb"),
    [(0o711, True, "read"), (0o711, False, ""), (0o744, False, "entered"), (0o755, True, "")],
)
def test_why_a_directory_cannot_be_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int, listed: bool, verb: str
) -> None:
    """By another user than root, to whom everything is open."""

    def access(path: str, need: int) -> bool:
        return os.stat(path).st_mode & need == need

    monkeypatch.setattr(os, "access", access)
    tmp_path.chmod(mode)
    found = options.cannot_enter(str(tmp_path), listed=listed)
    expected = f"{tmp_path} cannot be {verb} by this user: chmod a+rx {tmp_path}"
    assert found == (expected if verb else "")
