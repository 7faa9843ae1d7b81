"""What a real browser makes of an answer: the name that a download gets, the cookie that goes away."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from selenium.webdriver.common.by import By
from serving import Server, serve

from .chromium import Browser

SCRIPT = """#!/usr/bin/env python3
from cgikit import Response, escape, run

KINDS = {
    "plain": {},
    "none": {"secure": True, "samesite": "None"},
    "partitioned": {"secure": True, "samesite": "None", "partitioned": True},
}

def page(request):
    match request.query["do"]:
        case "download":
            response = Response(b"x", content_type="application/octet-stream")
            response.attachment(request.query["name"])
        case "frame":
            return f'<iframe src="{escape(request.query["src"])}"></iframe>'
        case "set":
            response = Response("<p>set</p>")
            for name, options in KINDS.items():
                response.set_cookie(name, "1", priority="High", **options)
        case "forget":
            response = Response("<p>forgotten</p>")
            for name, options in KINDS.items():
                response.delete_cookie(name, **options)
        case "show":
            return "<p>cookies: " + " ".join(sorted(request.cookies)) + "</p>"
    return response

run(page)
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    scripts = tmp_path_factory.mktemp("answers")
    (scripts / "answer.py").write_text(SCRIPT)
    (scripts / "answer.py").chmod(0o755)
    with serve(scripts, "--allow-origin", "*") as started:  # for frames of another site
        yield started


@pytest.mark.parametrize(
    ("name", "saved"),
    [
        ("Screenshot 2026-11-26 at 9.41.00\u202fAM.png", ""),
        ("a\u3000b\xa0c.txt", ""),
        ("Donau\u00fcber.txt", ""),
        # Browsers take a percent sign in `filename` for an escape: it was saved as "100%.txt".
        ("100%25.txt", ""),
        # On disk a quote may not stand everywhere, and a joiner shows nothing.
        ('a "b".txt', "a _b_.txt"),
        ("\U0001f469\u200d\U0001f467.txt", "\U0001f469_\U0001f467.txt"),
    ],
)
def test_a_download_has_its_name(
    browser: Browser, server: Server, tmp_path: Path, name: str, saved: str
) -> None:
    behaviour = {"behavior": "allow", "downloadPath": str(tmp_path)}
    browser.driver.execute_cdp_cmd("Browser.setDownloadBehavior", behaviour)
    browser.open(f"{server.url}answer.py?do=show")  # a script of another page may not go there
    url = f"{server.url}answer.py?do=download&name={quote(name)}"
    browser.driver.execute_script("location.href = arguments[0]", url)
    # While it comes the file has other names, hidden ones too.
    browser.wait(lambda: [path.name for path in tmp_path.iterdir()] == [saved or name])


def framed(browser: Browser, server: Server, what: str) -> str:
    """What a page of this server says in a frame of another site's page."""
    other = f"http://localhost:{server.port}/answer.py?do={what}"
    browser.open(f"{server.url}answer.py?do=frame&src={quote(other)}")
    browser.driver.switch_to.frame(browser.driver.find_element(By.TAG_NAME, "iframe"))
    try:
        browser.wait(lambda: bool(browser.text))
        return browser.text
    finally:
        browser.driver.switch_to.default_content()


def test_cookies_of_other_sites_pages_are_deleted(browser: Browser, server: Server) -> None:
    """`delete_cookie` said SameSite=Lax: in such a frame a browser does not heed that, and a cookie in
    a jar of its own is another one.
    """
    browser.driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
    assert framed(browser, server, "set") == "set"
    assert framed(browser, server, "show") == "cookies: none partitioned"
    assert framed(browser, server, "forget") == "forgotten"
    assert framed(browser, server, "show") == "cookies:"


def test_a_cookie_with_a_priority_is_kept(browser: Browser, server: Server) -> None:
    browser.driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
    browser.open(f"{server.url}answer.py?do=set")
    got = browser.driver.execute_cdp_cmd("Network.getCookies", {"urls": [server.url]})["cookies"]
    assert {cookie["name"]: cookie["priority"] for cookie in got}["plain"] == "High"
