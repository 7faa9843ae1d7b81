"""The pages for people who come from Perl, as data: rows of Perl, Python and a remark.

A row belongs to the modules that the heading above it names; "CGI.pm" is CGI.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from house import ROOT

from .documented import POD_OF, documented

FROM = ROOT / "docs" / "from"

#: The module that a page is about; a heading can name another one.
PAGES = {
    "cgi-pm.md": "CGI",
    "cgi-forms.md": "CGI::HTML::Functions",
    "cgi-carp.md": "CGI::Carp",
    "cgi-session.md": "CGI::Session",
    "cgi-simple.md": "CGI::Simple",
    "cgi-tiny.md": "CGI::Tiny",
}

#: The modules whose names a table of another module answers too: they mean the same there.
ALSO = {
    "CGI::HTML::Functions": ("CGI",),
    "CGI": ("CGI::HTML::Functions", "CGI::Util"),
    "CGI::Push": ("CGI",),
    "CGI::Fast": ("CGI",),
    "CGI::Simple": ("CGI", "CGI::HTML::Functions", "CGI::Util"),
}

MODULES = [*POD_OF, "CGI::Tiny"]


@dataclass(frozen=True)
class Row:
    """A row of a table: what it is in Perl, the line of Python ("" if there is none), and a remark."""

    page: Path
    line: int
    module: str
    perl: str
    python: str
    remark: str

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"

    def names(self) -> set[str]:
        """The documented names of the module, and of those that it stands for, in the row's Perl."""
        known = documented(self.module).union(*(documented(m) for m in ALSO.get(self.module, ())))
        words = set(re.findall(r"(?<![\w$-])[A-Za-z]\w*", self.perl))  # not `name` for `-name`
        words |= set(re.findall(r"(?<=->)\w+|[$]CGI(?:::\w+)+|(?<![\w-])-[A-Za-z]\w*", self.perl))
        words |= set(
            re.findall(r"(?<![\w:]):[a-z][\w-]*|\b(?:driver|serializer|id):\w+", self.perl)
        )
        return words & known

    def unknown(self) -> set[str]:
        """What looks like a name in the row's Perl and is documented nowhere."""
        known = documented(self.module).union(*(documented(m) for m in ALSO.get(self.module, ())))
        said = set(re.findall(r"[$]CGI(?:::\w+)+", self.perl))
        said |= set(re.findall(r"(?<=->)[A-Za-z]\w*", self.perl))
        said |= set(re.findall(r"(?<![\w-])-[a-z]\w+(?=\s*=>|`)", self.perl))
        said |= set(re.findall(r"(?<=[ `(]):[a-z][\w-]*", self.perl))
        return said - known


def cells(line: str) -> list[str]:
    """The cells of a line of a table; a bar in them is written with a backslash."""
    return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line.strip())[1:-1]]


def rows_of(page: Path) -> Iterator[Row]:
    """The rows of all tables of a page."""
    own = module = PAGES[page.name]
    above = ""
    for number, line in enumerate(page.read_text().splitlines(), 1):
        if line.startswith("#"):
            found = re.search(r"CGI::\w+", line)
            module = found[0] if found and not line.startswith("# ") else own
        elif line.startswith("|") and above.startswith("|") and not line.startswith("|--"):
            perl, python, remark = cells(line)
            code = re.fullmatch(r"\[?(`+)(.*?)\1(?:\]\(.*\))?", python)
            yield Row(page, number, module, perl, code[2].strip() if code else "", remark)
        above = line


ROWS = [row for name in PAGES for row in rows_of(FROM / name)]


def answered(module: str) -> set[str]:
    """The names of a module that have a row."""
    modules = (module, *ALSO.get(module, ()))
    return {name for row in ROWS if row.module in modules for name in row.names()}


def unanswered(module: str) -> set[str]:
    """The names of a module that have none."""
    return set(documented(module)) - answered(module)
