"""The parser that all commands share: argparse's, with errors that say what was meant.

An option or a command that does not exist is answered with the one that it resembles, under the name of
the command that it was given to. Which options there are is each command's own.
"""

import argparse
import re
import sys
from collections.abc import Iterable, Sequence
from typing import Any


def suggestion(word: str, known: Iterable[str]) -> str:
    """Return what to add to an error about a word: `; did you mean --port?`, or "" (str)."""
    import difflib

    close = difflib.get_close_matches(word, list(known), 1)
    return f"; did you mean {close[0]}?" if close else ""


class Parser(argparse.ArgumentParser):
    """A parser of a command line. Its sub-parsers are of this class, too."""

    commands: Any = None  # what `add_subparsers` made

    def add_subparsers(self, **options: Any) -> Any:
        """As argparse's; the names of the commands are kept for the errors."""
        self.commands = super().add_subparsers(**options)
        return self.commands

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[Any, list[str]]:
        """As argparse's, but nothing is left over: what is not known is an error (exit status 2)."""
        words = list(sys.argv[1:] if args is None else args)
        self._check(words)
        found, more = super().parse_known_args(words, namespace)
        if more and more[0].startswith("-") and "--" not in words:
            self._refuse_option(more[0])
        if more:
            self.error(f"{more[0]!r} is one argument too many")
        return found, more

    def _check(self, words: list[str]) -> None:
        """Refuse what no parsing will find: before that fails for what is missing because of it."""
        options = self._options()
        for word in words:
            if word == "--":
                return
            if word.startswith("--"):
                name = word.partition("=")[0]
                if not any(option.startswith(name) for option in options):  # they can be cut short
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

    def _refuse_option(self, name: str) -> None:
        options = self._options()
        meant = suggestion(name, options)
        if not name.startswith("--"):  # -p: the one option that begins so
            alike = [option for option in options if option[2] == name[1:2]]
            meant = f"; did you mean {alike[0]}?" if len(alike) == 1 else ""
        self.error(f"{name!r} is not an option{meant or f'; {self.prog} --help lists them'}")
