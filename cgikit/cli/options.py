"""Options that several commands have, and the checks of what they are given.

One function for each: it converts the text, or raises `argparse.ArgumentTypeError`, or it returns what
is wrong as a sentence. Options of one command alone are in that command's module.
"""

import argparse
import os
import shlex
from collections.abc import Callable, Iterable

from cgikit.host.wsgi import is_number
from cgikit.warm import allowlist


def add_root(parser: argparse.ArgumentParser, without: str = "") -> None:
    """Add the argument ROOT. `without` says what is taken if it is not given (str); with "" it must
    be given.
    """
    what = "the directory of scripts, or one script"
    if without:
        what = f"{what} ({without})"
    parser.add_argument("root", metavar="ROOT", nargs="?" if without else None, help=what)


def add_environment(
    parser: argparse.ArgumentParser, convert: "Callable[[str], str] | None" = None
) -> None:
    """Add the option `--env`; `convert` checks a name (by default `environment_name`)."""
    parser.add_argument(
        "--env",
        action="append",
        default=[],
        type=convert or environment_name,
        metavar="NAME",
        help="also pass this variable of the environment to the scripts (may be repeated)",
    )


def environment_name(text: str) -> str:
    """Return the name of a variable that `--env` names."""
    if text.isascii() and text.isidentifier():
        return text
    name, equals, value = text.partition("=")
    wrong = f"{text!r} is not the name of a variable: --env passes a variable of this environment"
    if equals and name.isascii() and name.isidentifier():
        wrong += f"; set it first: {name}={shlex.quote(value)} cgikit …, and give --env {name}"
    raise argparse.ArgumentTypeError(wrong)


def unset(names: Iterable[str]) -> list[str]:
    """Return a line for each variable that `--env` names and that is not set."""
    return [f"{name} is not set in this environment" for name in names if name not in os.environ]


def passing(text: str) -> str:
    """Return the variable, or the PREFIX_*, that `--pass` names."""
    try:
        return allowlist.pattern(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def number(least: int, most: int) -> "Callable[[str], int]":
    """Return the check of a whole number from `least` to `most`."""

    def checked(text: str) -> int:
        if not is_number(text) or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text!r} is not a number from {least} to {most}")
        return int(text)

    return checked


def port(least: int) -> "Callable[[str], int]":
    """Return the check of a port from `least` on: 0 where any free port will do, else 1."""

    def checked(text: str) -> int:
        if not is_number(text) or not least <= int(text) <= 65_535:
            raise argparse.ArgumentTypeError(f"{text!r} is not a port from {least} to 65535")
        return int(text)

    return checked


def cannot_run(path: str) -> str:
    """Return why a file cannot be served as the one script, and what to do (str); "" if it can."""
    try:
        os.stat(path)
    except FileNotFoundError:
        return f"{path} does not exist"
    except OSError as error:
        return f"{path} cannot be reached: {error.strerror}"
    if not os.path.isfile(path):
        return f"{path} is neither a directory nor a script"
    if os.access(path, os.X_OK):
        return ""
    return f"{path} is not executable: chmod +x {shlex.quote(path)}"


def cannot_enter(directory: str, *, listed: bool = False) -> str:
    """Return why this user cannot serve a directory, and what to do (str); "" if it can.

    `listed` says that its files are listed too, which takes the right to read it.
    """
    need = os.X_OK | os.R_OK * listed
    if not os.path.isdir(directory) or os.access(directory, need):
        return ""
    verb = "read" if listed else "entered"
    return f"{directory} cannot be {verb} by this user: chmod a+rx {shlex.quote(directory)}"
