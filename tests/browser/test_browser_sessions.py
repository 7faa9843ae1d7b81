"""A double click on "Log in", as a real browser makes it: it drops the answer to the first, and with it
the cookie of the session that has just begun.
"""

import threading
from collections.abc import Iterator
from pathlib import Path
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIServer, make_server

import pytest
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.support.wait import WebDriverWait

from cgikit import WSGI, FileStore, Request, Response

from .chromium import Browser

FORM = '<form method="post"><input type="hidden" name="token" value="{}"><button>Log in</button></form>'
DEADLINE = 60  # seconds


class Door:
    """A log-in that takes until a second one has begun, so that both meet in it each time."""

    def __init__(self) -> None:
        self.begun = 0
        self.second = threading.Event()

    def __call__(self, request: Request) -> Response | str:
        session = request.session
        if request.method == "POST":
            self.begun += 1
            if self.begun == 2:
                self.second.set()
            session.check_csrf(request.form.get("token"))
            self.second.wait(DEADLINE)
            session.rotate()
            session["name"] = "Ada"
            return Response.redirect("/door")
        return "<p>Hello, Ada</p>" if "name" in session else FORM.format(session.csrf_token())


class Threads(ThreadingMixIn, WSGIServer):
    """Answers each request in a thread of its own, whether or not the browser still waits."""

    daemon_threads = True


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    application = WSGI(Door(), sessions=FileStore(tmp_path / "sessions", grace=3))
    with make_server("127.0.0.1", 0, application, server_class=Threads) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/door"
        finally:
            server.shutdown()
            thread.join(DEADLINE)


def shows(browser: Browser, *texts: str) -> str:
    """Wait until the page has one of the texts, through all that it shows before; return that."""

    def found(_: object) -> str:
        try:
            page: str = browser.driver.execute_script("return document.body.innerText")
        except WebDriverException:  # it is just being loaded
            return ""
        return next((text for text in texts if text in page), "")

    return WebDriverWait(browser.driver, DEADLINE).until(found)


def test_a_double_click_on_log_in_ends_logged_in_or_at_a_form_that_works(
    browser: Browser, url: str
) -> None:
    """It ended at a bare 503, or at a form whose token had expired."""
    browser.open(url)
    browser.driver.execute_script(
        "const form = document.forms[0]; form.submit(); setTimeout(() => form.submit(), 100)"
    )
    assert shows(browser, "requested twice", "already sent", "Hello") != ""
    if shows(browser, "Log in", "Hello") == "Log in":
        # The page that says so reloads itself, and may be on its way out: there is no form then.
        browser.driver.execute_script("document.forms[0]?.submit()")
    assert shows(browser, "Hello", "expired") == "Hello"
