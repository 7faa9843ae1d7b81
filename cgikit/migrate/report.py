"""The report on the files: the changes as a diff for `patch`, and a line for each place not changed."""

import difflib
import os
import shlex
from collections.abc import Iterable

from .work import Note

_LEVELS = {"shown": "only shown", "hidden": "only shown", "check": "check"}


def diff(path: str, old: bytes, new: bytes) -> bytes:
    """Return the changes of a file as a unified diff, in the file's own encoding and line ends."""
    name = path.encode("utf-8", "surrogateescape")
    lines = difflib.diff_bytes(
        difflib.unified_diff,
        old.splitlines(keepends=True),
        new.splitlines(keepends=True),
        b"a/" + name.lstrip(b"/"),
        b"b/" + name.lstrip(b"/"),
    )
    return b"".join(
        line if line.endswith((b"\n", b"\r")) else line + b"\n\\ No newline at end of file\n"
        for line in lines
    )


def lines(path: str, notes: Iterable[Note]) -> list[str]:
    """Return the report of a file: a line a note, as compilers write them."""
    return [
        f"{path}:{note.line}: {note.text} [{_LEVELS.get(note.rule, 'not touched')}]"
        for note in notes
    ]


def vendored(path: str, *, self_contained: bool) -> list[str]:
    """Return the report of a module that `cgikit vendor` wrote."""
    directory = shlex.quote(os.path.dirname(path) or ".")
    text = "cgikit vendor wrote this. When no script here imports it any more, remove it: "
    text += f"cgikit vendor cgi {directory} --remove"
    if self_contained:
        text += ". It brings its own cgikit: rewritten scripts need one installed for their Python"
    return lines(path, [Note(1, "vendored", text)])


def summary(changed: int, refused: int, *, written: bool) -> str:
    """Return the last line: how many files change, and how many could not be read as programs."""
    said = f"{changed} file{'' if changed == 1 else 's'} "
    said += "changed" if written else "would change"
    if changed and not written:
        said += "; --write changes them"
    return f"{said}; {refused} left as a whole" if refused else said


def more(places: int) -> list[str]:
    """Return the line that says what `--unsafe` would add, in a list; [] for nothing."""
    if not places:
        return []
    return [f"--unsafe would rewrite {places} more place{'' if places == 1 else 's'}"]
