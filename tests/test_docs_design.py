"""docs/understand/design.md: each figure stands on the page that the sentence names."""

import re

import pytest
from house import ROOT

PAGE = ROOT / "docs" / "understand" / "design.md"
TEXT = PAGE.read_text()

#: Each "Measured: … ([page](link))", its lines joined.
MEASURED = [
    re.sub(r"\s+", " ", found)
    for found in re.findall(r"Measured: .*?\(\[[a-z ]+\]\([^)]+\)\)", TEXT, re.S)
]


@pytest.mark.parametrize("sentence", MEASURED)
def test_the_figures_are_those_of_the_page_that_is_named(sentence: str) -> None:
    words, link = re.fullmatch(r"(.*) \(\[[a-z ]+\]\(([^)]+)\)\)", sentence).groups()  # type: ignore[union-attr]
    page = (PAGE.parent / link).resolve().read_text()
    figures = re.findall(r"(?<![\w.,])\d[\d,.]*\d|(?<![\w.,])\d(?![\w.])", words)
    assert figures, sentence
    assert [f for f in figures if not re.search(rf"(?<![\d.,]){re.escape(f)}(?![\d])", page)] == []


def test_what_was_measured_says_where() -> None:
    assert len(MEASURED) == TEXT.count("Measured: ") > 7


def test_each_decision_says_what_was_rejected_or_what_it_costs() -> None:
    for section in TEXT.split("\n## ")[1:]:
        assert re.search(r"Rejected: |Price: ", section), section.splitlines()[0]
