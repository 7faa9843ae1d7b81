"""The parser that all commands share: argparse's, with errors that suggest what was meant.

The error for an option or a command that does not exist names the one that it resembles. Each command
defines its own options; `options.py` has those that several commands share. All help has one form:
what the command does, its options, an example, and the page of the documentation.
"""

import argparse
import contextlib
import re
import signal
import sys
import textwrap
import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NoReturn

from cgikit.process import write_log


def complain(command: str, message: str) -> None:
    """Write a line about a command to standard error: `cgikit COMMAND: MESSAGE`. Never raises."""
    write_log(f"cgikit {command}: {message}\n")


@contextlib.contextmanager
def ending() -> Iterator[None]:
    """For a command that runs scripts: let SIGTERM and SIGHUP end it by an exception, so that it ends
    its scripts: `SystemExit`, with the status that a shell gives for the signal.
    """
    is_ending = False

    def end(number: int, frame: object) -> None:
        nonlocal is_ending
        if not is_ending:  # a second signal would interrupt the clearing up
            is_ending = True
            raise SystemExit(128 + number)

    numbers = [
        number
        for number in (signal.SIGTERM, signal.SIGHUP)
        if signal.getsignal(number) is signal.SIG_DFL  # nohup ignores SIGHUP
        and threading.current_thread() is threading.main_thread()
    ]
    for number in numbers:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)


def suggestion(word: str, known: Iterable[str]) -> str:
    """Return what to append to an error about a word (str): `; did you mean --port?`, or ""."""
    import difflib

    close = difflib.get_close_matches(word, list(known), 1)
    return f"; did you mean {close[0]}?" if close else ""


class _Lines(argparse.HelpFormatter):
    """Fills each line of a text by itself: argparse makes one paragraph of all of them."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n".join(
            textwrap.fill(
                line, width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False
            )
            for line in text.split("\n")
        )


class Parser(argparse.ArgumentParser):
    """A parser of a command line. Its sub-parsers are of this class too."""

    #: The result of `add_subparsers`.
    commands: Any = None

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"formatter_class": _Lines, **options})

    def add_subparsers(self, **options: Any) -> Any:
        """Like argparse's; also remembers the commands, for the errors."""
        self.commands = super().add_subparsers(**options)
        return self.commands

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[Any, list[str]]:
        """Like argparse's, but an unknown argument is an error (exit status 2)."""
        words = list(sys.argv[1:] if args is None else args)
        self._check(words)
        found, more = super().parse_known_args(words, namespace)
        if more and more[0].startswith("-") and "--" not in words:
            self._refuse_option(more[0])
        if more:
            self.error(f"{more[0]!r} is one argument too many; see {self.prog} --help")
        return found, more

    def _check(self, words: list[str]) -> None:
        """Refuse unknown words first: argparse would complain about what is missing because of them."""
        options = self._options()
        for word in words:
            if word == "--":
                return
            if word.startswith("--"):
                name = word.partition("=")[0]
                # An option may be abbreviated
                if not any(option.startswith(name) for option in options):
                    self._refuse_option(name)
            elif not word.startswith("-") and self.commands is not None:
                if word not in self.commands.choices:
                    names = list(self.commands.choices)
                    self.error(
                        f"{word!r} is not one of {', '.join(names)}{suggestion(word, names)}"
                    )
                return

    def _options(self) -> list[str]:
        return ["--help", *re.findall(r"--[a-z][a-z-]*", self.format_usage())]

    def _refuse_option(self, name: str) -> NoReturn:
        options = self._options()
        meant = suggestion(name, options)
        # -p means the one option that begins with p
        if not name.startswith("--"):
            alike = [option for option in options if option[2] == name[1:2]]
            meant = f"; did you mean {alike[0]}?" if len(alike) == 1 else ""
        self.error(f"{name!r} is not an option{meant or f'; {self.prog} --help lists them'}")
