"""What a directory of scripts contains, for the page at its URL. `page.py` renders it.

The list has scripts, files that look like scripts but cannot run yet, and directories that contain
some. Data files are left out: a directory of scripts is not a directory of documents. So are the
modules that `cgikit vendor` wrote beside them.
"""

import os
from dataclasses import dataclass

from ..checking.firstline import typed
from ..regularfile import open_regular
from ..vendored import is_vendored
from .path import Directory
from .problem import Problem
from .rules import NONE, Rules

_TESTS = ("test_", "conftest.")
_SUFFIXES = (".cgi", ".php", ".pl", ".py", ".rb", ".sh")


@dataclass(frozen=True)
class Entry:
    """A line of the list. `name` ends with "/" for a directory; `about` is the file's first comment or
    docstring, or ""; `why` says what is wrong with it and `fix` how to mend that ("" if it runs).
    """

    name: str
    about: str = ""
    fix: str = ""
    why: str = ""


def entries(root: str, directory: Directory, rules: Rules = NONE) -> list[Entry]:
    """Return the entries of a directory: directories first, each kind by name.

    Links that lead out of the real path `root` are neither followed nor shown, unless a rule allows
    them. `Problem` 403 if this user cannot read the directory.
    """
    if os.path.isdir(directory.path) and not _is_open(directory.path):
        name = os.path.basename(directory.path)
        raise Problem(403, f"{name} {_CLOSED}.", _opened(directory.path))
    above = [name for name in directory.url.split("/") if name]
    found = []
    for item in _visible(directory.path):
        if rules.allows(root, [*above, item.name], os.path.realpath(item.path)):
            entry = _entry(item, rules)
            found += [entry] if entry is not None else []
    return sorted(found, key=lambda entry: (not entry.name.endswith("/"), entry.name.lower()))


_CLOSED = "cannot be read by the user who serves it"


def _is_open(path: str) -> bool:
    return os.access(path, os.R_OK | os.X_OK)


def _opened(path: str) -> str:
    return f"chmod a+rx {typed(path)}"


def _visible(path: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(path) as items:
            return [item for item in items if not item.name.startswith((".", "__pycache__"))]
    except OSError:
        return []


def _entry(item: os.DirEntry[str], rules: Rules) -> Entry | None:
    try:
        if is_vendored(item.path):
            return None
        if item.is_dir():
            if not _is_open(item.path):  # it may contain scripts
                return Entry(f"{item.name}/", "", _opened(item.path), f"It {_CLOSED}")
            holds = any(
                _looks_like_script(inner, rules) or inner.is_dir() for inner in _visible(item.path)
            )
            return Entry(item.name + "/") if holds else None
        if not item.is_file() or not _looks_like_script(item, rules):
            return None
        if not os.access(item.path, os.R_OK):
            return Entry(item.name, "", _opened(item.path), f"It {_CLOSED}")
        runs = os.access(item.path, os.X_OK) or rules.interpreter(item.name)
        fix = "" if runs else f"chmod +x {typed(item.path)}"
        return Entry(item.name, _about(item.path), fix, fix and "Not executable")
    except OSError:  # it was deleted in the meantime
        return None


def _looks_like_script(item: os.DirEntry[str], rules: Rules) -> bool:
    is_test = item.name.startswith(_TESTS)  # pytest's names; nobody is to make them executable
    named = (item.name.endswith(_SUFFIXES) and not is_test) or rules.interpreter(item.name) != ""
    return item.is_file() and (named or os.access(item.path, os.X_OK))


def _about(path: str) -> str:
    with open(open_regular(path, follow=True, patience=0), "rb") as file:
        start = file.read(2_048)
    if b"\0" in start:
        return ""
    lines = start.decode("utf-8", "replace").splitlines()
    for line in lines[1 if lines and lines[0].startswith("#!") else 0 :]:
        text = line.strip().lstrip("rR")
        if text.startswith(("#", "//", '"""', "'''")) and "coding" not in text:
            return text.strip("#/'\" \t")[:200]
        if line.strip() and not text.startswith("#"):
            return ""
    return ""
