"""Each script of the gallery has the style, says what it is for, and has its scenes, test and page."""

import re

import pytest

from .style import BEGIN, ROOT, SAYS, SCRIPTS, SHEET, docstring, names, with_style

NAMES = names()
DOCS = ROOT / "docs"


def test_there_is_a_gallery() -> None:
    assert {"gallery", "guestbook", "counter", "poll"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_the_style_is_the_one_of_the_sheet(name: str) -> None:
    source = (SCRIPTS / f"{name}.py").read_text()
    assert source.count(BEGIN) == 1
    assert with_style(source) == source, "run `make gallery`"


def test_another_style_is_found() -> None:
    source = (SCRIPTS / "gallery.py").read_text()
    assert with_style(source.replace("var(--accent)", "red")) == source
    assert "var(--accent)" in SHEET.read_text()


@pytest.mark.parametrize("name", sorted({*NAMES} - {"gallery"}))
def test_a_script_says_what_the_classic_did_and_what_it_does(name: str) -> None:
    first, said = docstring(name)
    assert first.endswith(".")
    assert list(said) == list(SAYS)
    assert all(len(text) > 30 for text in said.values())


@pytest.mark.parametrize("name", sorted({*NAMES} - {"gallery"}))
def test_a_script_has_its_test_its_scenes_and_its_page(name: str) -> None:
    tests = ROOT / "tests"
    assert (tests / "gallery" / f"test_{name}.py").is_file()
    assert (tests / "gallery" / "scenes" / f"{name}.py").is_file()
    page = (DOCS / "gallery" / f"{name}.md").read_text()
    assert f"](../img/gallery/{name}.png)" in page
    words = " ".join(page.split())
    for label, text in docstring(name)[1].items():
        assert f"**{label}** {text}" in words, "the page says what the script says"
    headings = re.findall("^## (.*)", page, re.M)
    assert headings == ["Install", "What it stores", "Settings"]
    index = (DOCS / "gallery" / "index.md").read_text()
    assert f"]({name}.md)" in index
    assert f"](../img/gallery/{name}.png)" in index


def test_the_pictures_are_those_that_the_docs_show_and_small() -> None:
    pictures = sorted((DOCS / "img" / "gallery").glob("*"))
    pages = [page.read_text() for page in (DOCS / "gallery").glob("*.md")]
    for picture in pictures:
        assert picture.read_bytes().startswith(b"\x89PNG\r\n")
        assert any(f"](../img/gallery/{picture.name})" in page for page in pages), picture.name
    assert sum(picture.stat().st_size for picture in pictures) < 1_500_000
