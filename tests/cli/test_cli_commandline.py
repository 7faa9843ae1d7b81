"""What every command says of words that it does not know, and where it cannot write."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from cgikit.cli import main, parser
from cgikit.cli.commandline import Parser, suggestion


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """The last line on standard error of a command line that is wrong usage."""
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert caught.value.code == 2
    return capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("serve --prot 8000 x", "serve: error: '--prot' is not an option; did you mean --port?"),
        ("serve --prot=8000 x", "serve: error: '--prot' is not an option; did you mean --port?"),
        ("serve --prot", "serve: error: '--prot' is not an option; did you mean --port?"),
        ("serve x --warn", "serve: error: '--warn' is not an option; did you mean --warm?"),
        ("serve -i x", "serve: error: '-i' is not an option; did you mean --index?"),
        ("serve -x x", "serve: error: '-x' is not an option; cgikit serve --help lists them"),
        ("serve --zzz x", "serve: error: '--zzz' is not an option; cgikit serve --help lists them"),
        ("serve x y", "serve: error: 'y' is one argument too many; see cgikit serve --help"),
        ("serve -- x -prot", "serve: error: '-prot' is one argument too many; see cgikit serve --help"),
        ("config nginx x --usr me", "config: error: '--usr' is not an option; did you mean --user?"),
        ("--versoin", ": error: '--versoin' is not an option; did you mean --version?"),
        ("srve x", (": error: 'srve' is not one of COMMANDS; "
                   "did you mean serve?")),
        ("zzz x", ": error: 'zzz' is not one of COMMANDS"),
    ],
)  # fmt: skip
def test_what_is_misspelt_is_named_with_what_it_resembles(
    capsys: pytest.CaptureFixture[str], words: str, line: str
) -> None:
    """`cgikit serve --prot 8000 x` said "cgikit: error: unrecognized arguments: --prot x"."""
    line = line.replace("COMMANDS", ", ".join(parser().commands.choices))
    assert refused(capsys, *words.split()) == f"cgikit{'' if line[0] == ':' else ' '}{line}"


def test_options_can_still_be_cut_short_and_valued(capsys: pytest.CaptureFixture[str]) -> None:
    parser = Parser(prog="p")
    parser.add_argument("--port", type=int)
    parser.add_argument("--env", action="append")
    parser.add_argument("root", nargs="?")
    found = parser.parse_args(["--po", "8", "--env=--odd", "--", "--root"])
    assert (found.port, found.env, found.root) == (8, ["--odd"], "--root")
    found = parser.parse_args(["-3"])  # argparse takes a negative number for an argument
    assert found.root == "-3"


def test_options_of_a_group_are_known() -> None:
    parser = Parser(prog="p")
    parser.add_argument_group("more").add_argument("--in-a-group")
    assert parser.parse_args(["--in-a-group", "x"]).in_a_group == "x"


def test_nothing_is_suggested_that_is_not_like_it() -> None:
    assert suggestion("--prot", ["--port", "--env"]) == "; did you mean --port?"
    assert suggestion("--quux", ["--port", "--env"]) == ""


def cgikit(*words: str, **options: object) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "cgikit", *words]
    return subprocess.run(command, stderr=subprocess.PIPE, text=True, timeout=60, **options)  # type: ignore[call-overload,no-any-return]


def test_a_full_disk_is_said_in_one_line() -> None:
    """`cgikit config --list >/dev/full` was a traceback with [Errno 28] at its end."""
    with Path("/dev/full").open("w") as full:
        done = cgikit("config", "--list", stdout=full)
    assert (done.returncode, done.stderr) == (1, "cgikit config: No space left on device\n")


def test_a_reader_that_has_seen_enough_is_no_complaint() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = cgikit("config", "--list", stdout=writer)
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, "")


def test_where_a_command_failed_is_shown_to_who_asks() -> None:
    with Path("/dev/full").open("w") as full:
        done = cgikit("config", "--list", stdout=full, env={**os.environ, "CGIKIT_DEBUG": "1"})
    assert done.returncode
    assert "Traceback" in done.stderr
