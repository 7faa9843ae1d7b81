"""Kind: tables of the pages. Every one is whole: one heading, no line that ends it early.

An empty line among the rows ends a table, and what follows is shown as text with bars in it. All pages
are read, and `BROKEN` shows that each fault would be seen.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from house import ROOT

PAGES = [
    *(ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "benchmarks").glob("*.md")),
]

#: The line below a heading: GitHub's tables need one.
DELIMITERS = re.compile(r"\|( *:?-+:? *\|)+")

BROKEN = {
    "an empty line among the rows": "| a | b |\n|---|---|\n| 1 | 2 |\n\n| 3 | 4 |\n",
    "no heading": "| 1 | 2 |\n",
    "a row that is too short": "| a | b |\n|---|---|\n| 1 |\n",
    "a row that is too long": "| a | b |\n|---|---|\n| 1 | 2 | 3 |\n",
    "text in front": "Text\n| a | b |\n|---|---|\n",
    "text behind": "| a | b |\n|---|---|\n| 1 | 2 |\nmore\n",
}


def tables(lines: list[str]) -> Iterator[tuple[int, list[str]]]:
    """Each run of lines that begin with a bar outside of code, with the number of its first."""
    run: list[str] = []
    code = False
    for number, line in enumerate([*lines, ""], 1):
        code ^= line.startswith("```")
        if line.startswith("|") and not code:
            run.append(line)
        elif run:
            yield number - len(run), run
            run = []


def cells(row: str) -> int:
    """How many cells a row has: a bar in code counts as well, unless it is escaped."""
    return len(re.findall(r"(?<!\\)\|", row.rstrip())) - 1


def faults(text: str) -> list[str]:
    """What is wrong with the tables of a page."""
    lines = text.splitlines()
    found = []
    for number, rows in tables(lines):
        if len(rows) < 2 or not DELIMITERS.fullmatch(rows[1].strip()):
            found.append(f"{number}: rows without a heading, shown as text: {rows[0]}")
            continue
        before, after = number - 2, number - 1 + len(rows)
        for line in (*lines[max(before, 0) : before + 1], *lines[after : after + 1]):
            if line.strip() and not line.startswith("#"):
                found.append(f"{number}: {line!r} runs into the table")
        found += [
            f"{number + place}: {cells(row)} cells below a heading of {cells(rows[0])}: {row}"
            for place, row in enumerate(rows)
            if cells(row) != cells(rows[0])
        ]
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_table_is_whole(page: Path) -> None:
    """Two options of config.md stood as raw text behind an empty line."""
    assert faults(page.read_text()) == []


@pytest.mark.parametrize("what", sorted(BROKEN))
def test_each_fault_of_a_table_would_be_seen(what: str) -> None:
    assert len(faults(BROKEN[what])) == 1
