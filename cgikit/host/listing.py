"""What a directory of scripts holds, for the page at its URL. Nothing is rendered here.

Shown are scripts, what looks like one but cannot run yet, and directories that hold some. Data
files are not: a directory of scripts is not a directory of documents, and nothing in it is ever
sent.
"""

import os
from dataclasses import dataclass

from ..regularfile import open_regular
from .path import Directory
from .rules import NONE, Rules

_SUFFIXES = (".cgi", ".php", ".pl", ".py", ".rb", ".sh")


@dataclass(frozen=True)
class Entry:
    """A line of the listing. `name` ends with "/" for a directory; `about` is what the file says of
    itself in its first comment or docstring (""); `fix` is what makes it run ("" when it does).
    """

    name: str
    about: str = ""
    fix: str = ""


def entries(root: str, directory: Directory, rules: Rules = NONE) -> list[Entry]:
    """Return the entries of a directory: directories first, each kind by name.

    Nothing is read, or told, of what a link leads to outside the real path `root` that no rule allows.
    """
    above = [name for name in directory.url.split("/") if name]
    found = []
    for item in _visible(directory.path):
        if rules.allows(root, [*above, item.name], os.path.realpath(item.path)):
            entry = _entry(item, rules)
            found += [entry] if entry is not None else []
    return sorted(found, key=lambda entry: (not entry.name.endswith("/"), entry.name.lower()))


def _visible(path: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(path) as items:
            return [item for item in items if not item.name.startswith((".", "__pycache__"))]
    except OSError:
        return []


def _entry(item: os.DirEntry[str], rules: Rules) -> Entry | None:
    try:
        if item.is_dir():
            holds = any(
                _looks_like_script(inner, rules) or inner.is_dir() for inner in _visible(item.path)
            )
            return Entry(item.name + "/") if holds else None
        if not item.is_file() or not _looks_like_script(item, rules):
            return None
        runs = os.access(item.path, os.X_OK) or rules.interpreter(item.name)
        return Entry(item.name, _about(item.path), "" if runs else f"chmod +x {item.name}")
    except OSError:  # it went away while we looked
        return None


def _looks_like_script(item: os.DirEntry[str], rules: Rules) -> bool:
    named = item.name.endswith(_SUFFIXES) or rules.interpreter(item.name) != ""
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
