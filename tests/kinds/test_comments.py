"""The kind: a comment that the formatter has pushed behind a closing bracket.

A comment at the end of a line that is too long makes the formatter break the code, and the comment then
stands below the line it explains, behind a bracket. Such comments belong above their line.
"""

import re

import house
import pytest

#: Lines of closing brackets and a comment. Marks for tools must stand in the last line.
PUSHED = re.compile(r"^\s*[\])}]+[:,]?\s+#(?! (noqa|type|fmt|pragma):)")


def pushed(module: house.Module) -> list[str]:
    """The places of such comments."""
    lines = enumerate(module.source.splitlines(), 1)
    return [
        f"{module.name}:{number} {line.strip()}" for number, line in lines if PUSHED.match(line)
    ]


def test_no_comment_stands_behind_a_closing_bracket() -> None:
    """There were nine, and each page of reading added to them."""
    assert [place for module in house.read() for place in pushed(module)] == []


@pytest.mark.parametrize(
    "source",
    [
        "if (\n    a\n):  # why",
        "x = (\n    a\n)  # why",
        "f(\n  a\n),  # why",
        "return f[\n 0\n]  # why",
    ],
)
def test_a_comment_behind_a_bracket_is_found(source: str) -> None:
    assert pushed(house.Module("m", source))


@pytest.mark.parametrize("source", ["))  # fmt: skip", ")  # noqa: T201", "x = f(a)  # why", "# )"])
def test_other_comments_are_fine(source: str) -> None:
    assert pushed(house.Module("m", source)) == []
