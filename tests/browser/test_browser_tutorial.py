"""The steps of the tutorial in a real browser: what the pages say is seen is seen."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from selenium.common.exceptions import NoAlertPresentException, UnexpectedAlertPresentException
from serving import Server, serve
from tutorial.book import PASSWORD, copy
from tutorial.pictures import prepare
from tutorial.steps import NAMES, page_of

from .checkers import DESKTOP, PHONE, axe_faults, html_faults, overflow, screen, source
from .chromium import Browser

LONG = "a-name-without-an-end-" * 2


@pytest.fixture
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    """A step, served, with some entries."""
    script = copy(request.param, tmp_path)
    prepare(request.param, script.parent / "data")
    with serve(script.parent, "--allow-origin", "*") as started:  # as web servers do
        yield started


def shown(name: str, number: int = 0) -> str:
    """A block of HTML on the page of a step."""
    blocks = re.findall(r"^```html\n(.*?)^```$", page_of(name).read_text(), re.M | re.S)
    return str(blocks[number])


def pops_up(browser: Browser, action: Callable[[], None], pops: bool) -> str | None:
    """The text of the window that an action lets pop up, None if none does; it is closed."""
    seen: list[str] = []

    def watched(step: Callable[[], bool | None]) -> bool:
        try:
            return bool(step())
        except UnexpectedAlertPresentException as error:  # it came first; the driver has closed it
            seen.append(str(error.alert_text))
            return True

    def look() -> bool:
        try:
            alert = browser.driver.switch_to.alert
        except NoAlertPresentException:
            complete = browser.driver.execute_script("return document.readyState") == "complete"
            return complete and not pops  # a script in the page has run by then
        seen.append(alert.text)
        alert.accept()
        return True

    watched(action)
    if not seen:
        browser.wait(lambda: watched(look))
    return seen[0] if seen else None


def sign(browser: Browser, server: Server, **values: str) -> None:
    browser.open(f"{server.url}guestbook.py")
    browser.fill("form", name="Mallory", **values)
    browser.driver.find_element("css selector", "form button").click()


@pytest.mark.parametrize(
    ("server", "pops"), [(NAMES[0], True), (NAMES[1], False)], indirect=["server"]
)
def test_an_entry_pops_up_in_step_1_only(browser: Browser, server: Server, pops: bool) -> None:
    text = shown(NAMES[1])
    expected = "This is my page now" if pops else None
    assert pops_up(browser, lambda: sign(browser, server, text=text), pops) == expected
    browser.wait(lambda: "Mallory" in browser.text)
    url = f"{server.url}guestbook.py"
    assert pops_up(browser, lambda: browser.open(url), pops) == expected
    browser.wait(lambda: "Mallory" in browser.text)
    assert (text.strip() in browser.text) is not pops


@pytest.mark.parametrize(
    ("server", "pops"), [(NAMES[0], True), (NAMES[1], False)], indirect=["server"]
)
def test_a_link_pops_up_in_step_1_only(browser: Browser, server: Server, pops: bool) -> None:
    sign(browser, server, text="See my page", home="javascript:alert(1)")
    browser.wait(lambda: "See my page" in browser.text)
    name = browser.driver.find_element("css selector", "h2 > a" if pops else "h2")
    assert pops_up(browser, name.click, pops) == ("1" if pops else None)


@pytest.mark.parametrize(
    ("server", "words"),
    [(NAMES[3], "Thank you for signing."), (NAMES[4], "This form has expired.")],
    indirect=["server"],
)
def test_a_form_of_another_site_is_taken_in_step_4_only(
    browser: Browser, server: Server, words: str, tmp_path: Path
) -> None:
    browser.open(f"{server.url}guestbook.py")
    form = shown(NAMES[4])
    assert form.count(":8000/") == 1
    (tmp_path / "other-site.html").write_text(form.replace(":8000/", f":{server.port}/"))
    browser.open((tmp_path / "other-site.html").as_uri())
    browser.wait(lambda: words in browser.text)


def views(number: int, server: Server) -> dict[str, Callable[[Browser], None]]:
    """The pages of a step, and how a visitor comes to them."""
    url = f"{server.url}guestbook.py"
    found: dict[str, Callable[[Browser], None]] = {"first": lambda browser: browser.open(url)}
    if number >= 4:

        def wrong(browser: Browser) -> None:
            browser.open(url)
            browser.fill("form", name=LONG, home=LONG)
            browser.submit("form")

        found["wrong"] = wrong
    if number >= 5:

        def owner(browser: Browser) -> None:
            browser.open(f"{url}/owner")
            browser.fill("form", password=PASSWORD)
            browser.submit("form")

        found["log-in"] = lambda browser: browser.open(f"{url}/owner")
        found["owner"] = owner
    return found


@pytest.mark.parametrize("server", NAMES, indirect=True)
def test_every_page_of_a_step_is_for_everybody(
    browser: Browser, server: Server, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Valid HTML, accessible, and as wide as the screen, in two sizes and schemes."""
    browser.open(server.url)
    browser.driver.delete_all_cookies()
    name = request.node.callspec.params["server"]
    pages = {}
    for view, come in views(NAMES.index(name) + 1, server).items():
        come(browser)
        pages[view] = source(browser)
        for size in (PHONE, DESKTOP):
            with screen(browser, *size):
                assert axe_faults(browser) == [], view
                assert overflow(browser) <= 0, view
    assert html_faults(pages, tmp_path) == []
