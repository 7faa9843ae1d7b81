"""The pages of the tutorial show what the files of its steps have, and all that a step changes."""

import re
from itertools import pairwise

import pytest

from .steps import NAMES, PAGES, ROOT, STEPS, page_of, pieces, source, without_style, written


def test_there_are_eight_steps() -> None:
    assert [int(name.partition("-")[0]) for name in NAMES] == list(range(1, 9))
    assert sorted(page.stem for page in PAGES.glob("*.md")) == [*NAMES, "index"]


@pytest.mark.parametrize("name", NAMES)
def test_a_page_shows_what_the_files_have(name: str) -> None:
    page = page_of(name).read_text()
    assert written(page, name) == page, "run `make tutorial`"
    assert f"```python\n{source(name)}```\n" in page
    if name != NAMES[0]:
        assert page.count("\n```diff\n") > 0


def test_a_change_that_a_page_does_not_show_is_noticed() -> None:
    name = NAMES[1]
    page = page_of(name).read_text()
    assert written(page.replace("+    who = escape(name)", "+    who = name"), name) == page
    missing = re.sub("^```diff\n.*?^```\n", "", page, count=1, flags=re.M | re.S)
    with pytest.raises(ValueError, match="the blocks show 0 pieces, there are 4"):
        written(missing, name)


@pytest.mark.parametrize("name", NAMES[1:])
def test_the_pieces_are_the_whole_change(name: str) -> None:
    """Its lines and the former step's are this one's; the style is all that is left out."""
    lines = [line for piece in pieces(name) for line in piece.splitlines()]
    former, new = (
        without_style(source(each)).splitlines() for each in (NAMES[NAMES.index(name) - 1], name)
    )
    added = [line[1:] for line in lines if line.startswith("+")]
    gone = [line[1:] for line in lines if line.startswith("-")]
    assert sorted([*former, *added]) == sorted([*new, *gone])


@pytest.mark.parametrize("name", NAMES[1:])
def test_a_part_with_new_lines_only_goes_directly_below_the_part_before_it(name: str) -> None:
    """As the first page says: a reader who types along sees where a new function goes."""
    assert "a part that has only `+` lines goes directly below the part before it" in (
        (PAGES / "index.md").read_text().replace("\n", " ")
    )
    parts, new = pieces(name), without_style(source(name))
    for former, part in pairwise(parts):
        if all(line.startswith("+") for line in part.splitlines()):
            above = [line for line in former.splitlines() if not line.startswith("-")][-4:]
            lines = [line[1:] for line in (*above, *part.splitlines())]
            assert "\n".join(lines) in new


@pytest.mark.parametrize("name", NAMES)
def test_a_step_has_its_picture(name: str) -> None:
    picture = ROOT / "docs" / "img" / "tutorial" / f"{name}.png"
    assert picture.read_bytes().startswith(b"\x89PNG\r\n")
    assert (
        f"](../img/tutorial/{name}.png)"
        in page_of(name).read_text() + (PAGES / "index.md").read_text()
    )


def test_the_pictures_are_shown_and_small() -> None:
    pictures = sorted((ROOT / "docs" / "img" / "tutorial").iterdir())
    pages = "".join(page.read_text() for page in PAGES.glob("*.md"))
    assert [p.name for p in pictures if f"](../img/tutorial/{p.name})" not in pages] == []
    assert sum(picture.stat().st_size for picture in pictures) < 700_000


def test_the_last_step_is_the_guestbook_of_the_gallery() -> None:
    gallery = ROOT / "examples" / "cgi-bin" / "guestbook.py"
    assert gallery.read_text() == source(NAMES[-1])


@pytest.mark.parametrize("name", NAMES)
def test_a_step_can_be_served_where_it_lies(name: str) -> None:
    script = STEPS / name / "guestbook.py"
    assert script.stat().st_mode & 0o111 == 0o111
    assert f"step {name[0]}: " in source(name).splitlines()[1] or name == NAMES[-1]
