"""The documentation's site in Chromium: at phone and desk width, for every kind of reader."""

import functools
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from house import ROOT
from selenium.webdriver.common.by import By
from site_build import build

from .checkers import DESKTOP, PHONE, axe_faults, html_faults, overflow, screen
from .chromium import Browser

DOCS = ROOT / "docs"

#: What the checker says of every page that the theme makes, and pages cannot change.
THEMES = (
    "Trailing slash on void elements",
    "Article lacks heading",
    "Consider using the “h1” element",
)


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: pytest shows standard error."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def pages(folder: Path, part: str = "**") -> list[str]:
    """The pages, or those of one folder; "." is the top."""
    names = sorted(page.relative_to(folder).as_posix() for page in folder.glob(f"{part}/*.html"))
    return [name for name in names if not name.startswith(("_static", "genindex"))]


#: A test for each, so that none takes long: the top, and the folders with pages.
PARTS = [".", *sorted({str(page.parent.relative_to(DOCS)) for page in DOCS.glob("*/**/*.md")})]


@pytest.mark.parametrize("part", PARTS)
def test_every_page_is_valid_html(part: str, folder: Path, tmp_path: Path) -> None:
    sources = {name.replace("/", "-"): (folder / name).read_text() for name in pages(folder, part)}
    assert sources
    faults = html_faults(sources, tmp_path)
    assert [fault for fault in faults if not any(words in fault for words in THEMES)] == []


@pytest.mark.parametrize("part", PARTS)
def test_every_page_fits_a_phone_and_is_accessible(
    part: str, browser: Browser, address: str, folder: Path
) -> None:
    faults: dict[str, object] = {}
    with screen(browser, *PHONE):
        for name in pages(folder, part):
            browser.open(address + name)
            found = [overflow(browser), *axe_faults(browser)]
            if found != [0]:
                faults[name] = found
    assert faults == {}


def test_first_pages_are_accessible_on_a_desk_in_the_dark(
    browser: Browser, address: str, folder: Path
) -> None:
    with screen(browser, *DESKTOP):
        for name in (name for name in pages(folder) if name.endswith("index.html")):
            browser.open(address + name)
            assert (name, overflow(browser), axe_faults(browser)) == (name, 0, [])


def test_the_search_finds_a_page_and_asks_no_other_host(browser: Browser, address: str) -> None:
    browser.open(address + "search.html?q=Set-Cookie")
    found = "#search-results a[href*='reference/cookies']"
    browser.wait(lambda: bool(browser.driver.find_elements(By.CSS_SELECTOR, found)))
    asked = browser.driver.execute_script(
        "return performance.getEntriesByType('resource').map(entry => entry.name)"
    )
    assert len(asked) > 3
    assert [url for url in asked if not url.startswith(address)] == []
