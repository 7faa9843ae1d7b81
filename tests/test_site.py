"""The documentation as a site (`make docs`): complete, in order, and it asks no other host."""

import importlib.util
import re
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from house import ROOT
from site_build import build

DOCS = ROOT / "docs"
PAGES = sorted(page.relative_to(DOCS).with_suffix("").as_posix() for page in DOCS.rglob("*.md"))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built without a warning: links and anchors that lead nowhere are warnings."""
    return build(tmp_path_factory.mktemp("site"))


def conf() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_conf", DOCS / "conf.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Resources(HTMLParser):
    """What a page loads by itself."""

    LOADING = {"link": "href", "script": "src", "img": "src", "iframe": "src", "source": "src"}

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        value = dict(attrs).get(self.LOADING.get(tag, ""))
        if value is not None:
            self.found.append(value)


def in_order(entries: list[dict[str, object]]) -> list[str]:
    """Every file in a list of entries of _toc.yml, and below it."""
    found: list[str] = []
    for entry in entries:
        found.append(str(entry["file"]))
        for tree in entry.get("subtrees", []):  # type: ignore[attr-defined]
            found += in_order(tree["entries"])
    return found


def test_every_page_has_one_place_in_the_order() -> None:
    toc = yaml.safe_load((DOCS / "_toc.yml").read_text())
    files = [toc["root"], *(f for tree in toc["subtrees"] for f in in_order(tree["entries"]))]
    assert sorted(files) == PAGES


def test_the_site_has_every_page_with_a_way_on_and_back(site: Path) -> None:
    for page in PAGES:
        text = (site / f"{page}.html").read_text()
        assert "<h1>" in text or "<h1 " in text
        assert 'class="next-page"' in text or 'class="prev-page"' in text, page


def test_no_page_loads_anything_from_another_host(site: Path) -> None:
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > len(PAGES)  # and the search, the index of words
    for page in pages:
        foreign = [r for r in Resources(page.read_text()).found if re.match(r"(https?:)?//", r)]
        assert foreign == [], page.name
    for sheet in site.rglob("*.css"):
        text = sheet.read_text()
        assert re.findall(r"url\(\s*[\"']?(?:https?:)?//[^)]*|@import[^;]*//[^;]*", text) == []


def test_a_foreign_resource_would_be_seen() -> None:
    assert Resources('<script src="//cdn.example/x.js"></script><a href="https://x/">').found == [
        "//cdn.example/x.js"
    ]


def test_a_link_out_of_the_documentation_is_one_only_if_the_repository_is_named() -> None:
    """The site has no tests and no source: their links were downloads of single files."""
    module = conf()
    text = "see [`run`](../../tests/test_docs.py#top) and [request](request.md#read-it)"
    assert module.REPOSITORY == ""
    assert module._rewritten(text, "docs/reference") == (
        "see `run` and [request](/reference/request.md#read-it)"
    )
    module.REPOSITORY = "https://code.example/cgikit/"
    assert "[`run`](https://code.example/cgikit/tests/test_docs.py#top)" in module._rewritten(
        text, "docs/reference"
    )


def test_the_scripts_of_the_gallery_can_be_had(site: Path) -> None:
    """They were names without a link: a reader of the site could not get any."""
    for page in sorted((site / "gallery").glob("*.html")):
        name = page.stem
        if name != "index":
            [link] = re.findall(rf'href="\.\./(_downloads/\w+/{name}\.py)"', page.read_text())
            script = ROOT / "examples" / "cgi-bin" / f"{name}.py"
            assert (site / link).read_text() == script.read_text()


def test_blocks_of_code_are_not_rewritten() -> None:
    text = "```text\n[a](../../tests/test_docs.py)\n```\n"
    assert conf()._rewritten(text, "docs/reference") == text


def test_the_changelog_is_a_page_and_its_links_lead_to_pages(site: Path) -> None:
    text = (site / "project" / "changelog.html").read_text()
    assert "Unreleased" in text or "0.1" in text
    assert 'href="../reference/' in text
