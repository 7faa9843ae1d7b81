"""What an `.htaccess` keeps from visitors: a guess from its lines, to stop advice that nobody needs.

Of Apache's directives only those that deny are read: `Require all denied`, `Deny from all`, and the
answers 403 and 404 of mod_alias and mod_rewrite. Their patterns are not run, since anybody may have
written them: a name counts as meant if its extension, or the name itself, stands in the pattern.
"""

import os
import re

from ..regularfile import open_regular

_MAX_SIZE = 100_000  # bytes that are read
_MAX_LINE = 1_000  # characters
_SECTION = re.compile(r"< ?(/?)(\w+)([^>]*)>?")
_DENIES = re.compile(r"(require all denied|deny from all)\b")
_ANSWERS = re.compile(r"(redirectmatch (?:403|404|410|gone)|rewriterule) (.*)")
_HIDDEN = "."  # stands for all names that begin with a dot


class Denied:
    """What the `.htaccess` of a directory denies: `.everything` in it (bool), or names by `denies`."""

    def __init__(self, directory: str) -> None:
        self.everything = False
        self._files: set[str] = set()  # by <Files>, which says nothing of what a directory contains
        self._paths: set[str] = set()  # by parts of the path
        self._read(directory)

    def denies(self, name: str, *, is_directory: bool = False) -> bool:
        """Whether visitors are denied a file of this name, or all that is in a directory."""
        words = self._paths if is_directory else self._paths | self._files
        if self.everything or (_HIDDEN in words and name.startswith(".")):
            return True
        extension = "~" if name.endswith("~") else os.path.splitext(name)[1][1:]
        return bool({name.strip("."), extension} & words)

    def _read(self, directory: str) -> None:
        sections: list[tuple[str, str]] = []
        for line in _lines(os.path.join(directory, ".htaccess")):
            section = _SECTION.match(line)
            if section:
                closes, kind, pattern = section.groups()
                if not closes:
                    sections.append((kind.lower(), pattern))
                elif sections:
                    sections.pop()
                continue
            answers = _ANSWERS.match(line.lower())
            if answers and (answers[1] != "rewriterule" or re.search(r"\[[^\]]*\bf\b", answers[2])):
                self._paths |= _meant(answers[2])
            elif _DENIES.match(line.lower()):
                self._deny(sections)

    def _deny(self, sections: list[tuple[str, str]]) -> None:
        named = [pattern for kind, pattern in sections if kind in ("files", "filesmatch")]
        others = {kind for kind, _ in sections} - {"files", "filesmatch", "ifmodule"}
        others -= {"requireall", "requireany"}
        if named and not others:
            self._files |= _meant(named[-1])
        elif not others:
            self.everything = True


def _meant(pattern: str) -> set[str]:
    """Return the words of a pattern; of `db3?` both forms."""
    pattern = pattern.strip(" \"'")
    words = {_HIDDEN} if re.search(r"[\^/]\\\.\W*$", pattern) else set()
    if "~" in pattern.lstrip("~ "):
        words.add("~")
    for word in re.finditer(r"(\w+)(\??)", pattern):
        words |= {word[1], word[1][:-1] if word[2] else word[1]}
    return words


def _lines(file: str) -> list[str]:
    try:
        with open(open_regular(file, patience=0), "rb") as stream:
            text = stream.read(_MAX_SIZE).decode("utf-8", "replace")
    except OSError:
        return []
    lines = text.replace("\\\n", " ").split("\n")
    return [" ".join(line[:_MAX_LINE].split()) for line in lines]
