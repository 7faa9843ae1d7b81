"""Prints docs/man/cgikit.1, the manual page: man(7), made of the parsers of the command line.

`make man` writes the file; test_manual.py says when that has to be done again. The text is ASCII, so
that every formatter of manuals shows it.
"""

import argparse
import re
import textwrap
from collections.abc import Iterator

from cgikit import __version__
from cgikit.cli import parser

_WIDTH = 78  # columns of the source; mandoc complains of lines over 80 bytes
_SPECIAL = {"\\": "\\e", "-": "\\-", "'": "\\(aq", "`": "\\(ga", "^": "\\(ha", "~": "\\(ti"}
_INSTEAD = {"…": "..."}

ENVIRONMENT = (
    ("NO_COLOR", "If it is not empty: no colours."),
    ("FORCE_COLOR", "If it is not empty: colours, even where the output is not a terminal."),
    ("PORT", "The port of cgikit serve without --port."),
    (
        "CGIKIT_DEBUG",
        "If it is 1: a file that cannot be read or written is a traceback, not a line.",
    ),
)
STATUSES = (
    ("0", "It is done. Of cgikit check: nothing is wrong."),
    ("1", "It failed, and standard error says why. Of cgikit check: something is wrong."),
    ("2", "Wrong use. Of cgikit check: it could not look."),
)


def quoted(text: str) -> str:
    """Return a text as roff (str): what has a meaning there, and what is not ASCII, is escaped."""
    for sign, other in _INSTEAD.items():
        text = text.replace(sign, other)
    text = "".join(_SPECIAL.get(sign, sign) for sign in text)
    text = re.sub(r"[^ -~]", lambda found: f"\\[u{ord(found[0]):04X}]", text)
    return f"\\&{text}" if text.startswith(".") else text


def paragraph(text: str) -> Iterator[str]:
    """Yield a text, filled: a sentence begins a line."""
    for sentence in re.split(r"(?<=[a-z)][.:]) (?=[A-Z])", " ".join(text.split())):
        for line in textwrap.wrap(
            sentence, _WIDTH - 20, break_long_words=False, break_on_hyphens=False
        ):
            yield quoted(line)


def item(term: str, text: str) -> Iterator[str]:
    """Yield a term and what it means; the term is roff already."""
    yield ".TP"
    yield term
    yield from paragraph(text)


def term(action: argparse.Action, shown: argparse.ArgumentParser) -> str:
    """Return an option or an argument, with the name of its value, as roff (str)."""
    value = shown._get_formatter()._format_args(action, action.dest.upper())  # as in --help
    if action.choices is not None and action.metavar is None:
        value = "{" + ",".join(map(str, action.choices)) + "}"
    if not action.option_strings:
        return f"\\fI{quoted(value)}\\fR"
    names = ", ".join(f"\\fB{quoted(name)}\\fR" for name in action.option_strings)
    return f"{names} \\fI{quoted(value)}\\fR" if value else names


def usage(of: argparse.ArgumentParser) -> Iterator[str]:
    """Yield the synopsis of a command, as --help has it."""
    words = " ".join(of.format_usage().split()).removeprefix(f"usage: {of.prog}").strip()
    lines = textwrap.wrap(words, 50 - len(of.prog), break_long_words=False, break_on_hyphens=False)
    yield ".nf"
    yield f"\\fB{quoted(of.prog)}\\fR {quoted(lines[0])}"
    yield from (quoted("    " + line) for line in lines[1:])
    yield ".fi"


def actions(of: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Yield the arguments and then the options of a parser, without --help and without commands."""
    found = [
        each
        for each in of._actions
        if not isinstance(each, argparse._SubParsersAction | argparse._HelpAction)
    ]
    return iter(sorted(found, key=lambda each: bool(each.option_strings)))


def commands(of: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """Yield the parsers of a parser's commands."""
    for action in of._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield from action.choices.values()


def command(of: argparse.ArgumentParser) -> Iterator[str]:
    """Yield the section of a command, and those of its own commands."""
    yield f".SS {quoted(of.prog)}"
    below = list(commands(of))
    if not below:
        yield from usage(of)
        yield ".PP"
    yield from paragraph(str(of.description))
    for action in actions(of):
        text = str(action.help) % {"default": action.default, "prog": of.prog}
        yield from item(term(action, of), text)
    if not below:
        yield ".PP"
        yield from (quoted(line) + "\n.br" for line in str(of.epilog).split("\n")[:-1])
        yield quoted(str(of.epilog).split("\n")[-1])
    for each in below:
        yield from command(each)


def manual() -> str:
    """Return the manual page (str, ASCII)."""
    whole = parser()
    lines = [
        '.\\" Made by "make man" of the parsers of the command line. Do not edit.',
        f'.TH CGIKIT 1 "" "cgikit {__version__}" "User Commands"',
        ".SH NAME",
        "cgikit \\- CGI scripts: make them, look into them, put them behind a web server",
        ".SH SYNOPSIS",
        ".B cgikit",
        "\\fICOMMAND\\fR [\\fIOPTIONS\\fR] ...",
        ".SH DESCRIPTION",
        *paragraph(str(whole.description)),
        ".SH COMMANDS",
    ]
    for each in commands(whole):
        lines += command(each)
    lines.append(".SH EXIT STATUS")
    for status, text in STATUSES:
        lines += item(f"\\fB{status}\\fR", text)
    lines.append(".SH ENVIRONMENT")
    for name, text in ENVIRONMENT:
        lines += item(f"\\fB{name}\\fR", text)
    lines += [".SH SEE ALSO", *paragraph("The documentation of cgikit begins with the page index.")]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(manual(), end="")
