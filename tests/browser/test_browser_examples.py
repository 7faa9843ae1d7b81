"""The examples in a real browser, under several servers: what a person types is what the script got."""

import re
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from servers.interpreter import ROOT
from servers.rows import BROWSED
from servers.server import Server

from .chromium import Browser

pytestmark = pytest.mark.parametrize("server", BROWSED, indirect=True, scope="session")

EXAMPLES = sorted(path.name for path in (ROOT / "examples" / "cgi-bin").glob("*.py"))

TYPED = 'Grüße & "quotes" = 100 % + ü€'
#: Quotes, umlauts, a percent sign, a semicolon: each has broken some reader of file names.
FILE_NAME = "Käse \"extra\"; 100% 'fein'.txt"
CONTENT = b"one\r\ntwo \x00\xff\n"


def got(browser: Browser) -> list[tuple[str, ...]]:
    """The rows of the table of what the script got."""
    found = browser.driver.find_elements(By.CSS_SELECTOR, "#got tr")
    rows = [row.find_elements(By.TAG_NAME, "td") for row in found]
    # Not .text, which is what is visible: white space would be lost.
    return [tuple(str(cell.get_property("textContent")) for cell in row) for row in rows]


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_opens(browser: Browser, server: Server, name: str) -> None:
    browser.open(server.url(f"{name}?pause=0" if name == "progress.py" else name))
    assert browser.text


def test_a_clock_goes_on(browser: Browser, server: Server) -> None:
    """Three events, each with the time, and numbered."""
    browser.open(server.url("clock.py"))
    browser.wait(lambda: bool(re.search(r"\d\d:\d\d:\d\d\nEvent 3$", browser.text)))
    browser.open("about:blank")  # ends it


def test_get_form(browser: Browser, server: Server) -> None:
    browser.open(server.url("form.py"))
    browser.fill("#get", name=TYPED)
    for box in browser.driver.find_elements(By.CSS_SELECTOR, '#get [name="likes"]'):
        box.click()
    browser.submit("#get")
    assert got(browser) == [
        ("method", "", "GET"),
        ("query", "name", TYPED),
        ("query", "likes", "tea"),
        ("query", "likes", "coffee"),
    ]


def test_post_form(browser: Browser, server: Server) -> None:
    browser.open(server.url("form.py"))
    browser.fill("#post", name=TYPED, text="one\ntwo")
    browser.submit("#post")
    *head, (source, name, text) = got(browser)
    assert head == [("method", "", "POST"), ("query", "from", "post"), ("form", "name", TYPED)]
    # Browsers send CR LF; the page's parser makes LF of it again.
    assert (source, name, text.replace("\r\n", "\n")) == ("form", "text", "one\ntwo")


def test_multipart_form(browser: Browser, server: Server, tmp_path: Path) -> None:
    path = tmp_path / "private" / FILE_NAME
    path.parent.mkdir()
    path.write_bytes(CONTENT)
    browser.open(server.url("form.py"))
    browser.fill("#multipart", name=TYPED, file=str(path))
    browser.submit("#multipart")
    method, text, file, stored = got(browser)
    assert method == ("method", "", "POST")
    assert text == ("form", "name", TYPED)
    # The browser writes the quotes as %22 (test_browser_forms.py); the name comes out as it was.
    assert file == ("file", "file", f"{FILE_NAME} ({len(CONTENT)} bytes)")
    assert stored[:2] == ("stored as", "file")
    assert not {"/", "\\", "\0"} & set(stored[2])
    assert "private" not in browser.driver.page_source


def test_a_file_input_left_empty_is_no_file(browser: Browser, server: Server) -> None:
    browser.open(server.url("form.py"))
    browser.fill("#multipart", name="x")
    browser.submit("#multipart")
    assert got(browser) == [("method", "", "POST"), ("form", "name", "x")]


def test_preferences_stay_until_they_are_forgotten(browser: Browser, server: Server) -> None:
    browser.open(server.url("cookies.py"))
    browser.fill("form", greeting="Moin <Moin>")
    browser.submit("form")
    browser.open(server.url("cookies.py"))
    assert browser.driver.find_element(By.TAG_NAME, "h1").text == "Moin <Moin>"
    browser.driver.find_element(By.CSS_SELECTOR, "button[value=forget]").click()
    browser.wait(lambda: browser.driver.find_element(By.TAG_NAME, "h1").text == "Hello!")
    # Of the script's own: the browser is one for all tests, and another example may have left one.
    kept = {cookie["name"] for cookie in browser.driver.get_cookies()}
    assert kept.isdisjoint({"greeting", "colour"})
