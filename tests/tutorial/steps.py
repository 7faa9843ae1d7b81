"""The steps of the tutorial, and what its pages show of them: `make tutorial` puts it there.

A page shows all that a step changes, as blocks of `diff`, and the whole script at its end. The pieces
of the change are distributed over the blocks in their order: a block keeps the number that it has.
A new block has just a number in it, which `make tutorial` replaces by so many pieces.
"""

import difflib
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
STEPS = ROOT / "examples" / "tutorial"
PAGES = ROOT / "docs" / "tutorial"
NAMES = sorted(path.parent.name for path in STEPS.glob("[1-9]-*/guestbook.py"))

#: What stands between two pieces in one block.
BETWEEN = "@@\n"
#: Lines of a piece beyond which it is cut before each function that is new.
LONG = 30

_STYLE = re.compile(r'^(STYLE = """\n).*?^(""")$', re.M | re.S)
_DIFF = re.compile(r"^(```diff\n)(.*?)^(```)$", re.M | re.S)
_SCRIPT = re.compile(r"^(```python\n#!/usr/bin/env python3\n).*?^(```)$", re.M | re.S)
_TEST = re.compile(r'^(```python\n"""Tests of the guestbook\. ).*?^(```)$', re.M | re.S)
_CROWD = re.compile(r'^(```python\n"""Twenty visitors ).*?^(```)$', re.M | re.S)


def source(name: str, file: str = "guestbook.py") -> str:
    """A file of a step."""
    return (STEPS / name / file).read_text()


def without_style(text: str) -> str:
    """A script in which `…` stands for the style sheet."""
    return _STYLE.sub(r"\1…\n\2", text)


def pieces(name: str, file: str = "guestbook.py") -> list[str]:
    """What a step changes, in pieces with a line around them. The style sheet is left out."""
    former = NAMES[NAMES.index(name) - 1]
    old, new = (without_style(source(each, file)) for each in (former, name))
    found: list[str] = []
    for line in list(difflib.unified_diff(old.splitlines(True), new.splitlines(True), n=1))[2:]:
        if line.startswith("@@"):
            found.append("")
        else:
            found[-1] += line if line.strip(" ") != "\n" else "\n"
    return [part for piece in found for part in _cut(piece)]


def _cut(piece: str) -> list[str]:
    if piece.count("\n") <= LONG:
        return [piece]
    return re.split(r"(?<=\n\+\n\+\n)(?=\+(?:def|# ---) )", piece)


def written(page: str, name: str) -> str:
    """The text of a page with what the files of its step have now.

    Raises `ValueError` if the blocks have more or fewer pieces than there are.
    """
    script = source(name).partition("\n")[2]
    page = _SCRIPT.sub(lambda block: f"{block[1]}{script}{block[2]}", page)
    if "Tests of the guestbook" in page:
        tests = source(name, "test_guestbook.py").partition(". ")[2]
        page = _TEST.sub(lambda block: f"{block[1]}{tests}{block[2]}", page)
    crowd = (STEPS / "crowd.py").read_text().removeprefix('"""Twenty visitors ')
    page = _CROWD.sub(lambda block: f"{block[1]}{crowd}{block[2]}", page)
    left = pieces(name) if name != NAMES[0] else []
    shown = 0

    def block(match: re.Match[str]) -> str:
        nonlocal shown
        text = match[2].strip()
        count = int(text) if text.isdecimal() else match[2].count(f"\n{BETWEEN}") + 1
        taken = left[shown : shown + count]
        shown += count
        return f"{match[1]}{BETWEEN.join(taken)}{match[3]}"

    page = _DIFF.sub(block, page)
    if shown != len(left):
        first = "\n".join(f"{number}:\n{piece}" for number, piece in enumerate(left, 1))
        raise ValueError(f"{name}: the blocks show {shown} pieces, there are {len(left)}:\n{first}")
    return page


def page_of(name: str) -> Path:
    """The page of a step."""
    return PAGES / f"{name}.md"


def main() -> None:
    """Bring all pages up to date."""
    for name in NAMES:
        path = page_of(name)
        text = path.read_text()
        if (new := written(text, name)) != text:
            path.write_text(new)
            print(f"docs/tutorial/{path.name} is new")


if __name__ == "__main__":
    main()
