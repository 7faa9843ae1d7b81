"""What becomes of the session when a handler does not return: of real processes, over CGI, FastCGI and
as a WSGI application.
"""

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest
from child import PROLOGUE, run_script
from persisting import application

from cgikit import WSGI, FileStore

DOOR = """
from cgikit.errors import FormExpired

class Gone(HTTPError):
    keeps_session = False

def door(request):
    session = request.session
    what = request.query.get("what", "")
    session["count"] = session.get("count", 0) + 1
    if what == "new":
        session.rotate()
    if what == "closed":
        session.rotate()
        session.close()
        raise RuntimeError("a bug")
    if what == "late":
        session["list"] = []
        session.close()
        session["list"].append(1)
    if what == "destroyed":
        session.destroy()
        raise RuntimeError("a bug")
    if what == "abandoned":
        session.abandon()
        raise HTTPError(403)
    if what == "no json":
        session["count"] = {1}
        raise HTTPError(403)
    errors = {
        "answer": HTTPError(403, "no"),
        "new": HTTPError(403, "no"),
        "unavailable": HTTPError(503, "no"),
        "gone": Gone(410),
        "field": InvalidField("a", "b", "is not a number"),
        "limit": LimitExceeded("fields", 1, 2),
        "locked": LockTimeout("x", 1),
        "storage": StorageError("x", "y"),
        "bug": RuntimeError("a bug"),
        "end": SystemExit(1),
    }
    if what == "forged":
        session.check_csrf("forged")
    if what in errors:
        raise errors[what]
    return str(session["count"] - 1)
"""


class Browser:
    """Keeps the cookie of the session, and asks."""

    def __init__(self, ask: Callable[..., tuple[int, list[str], str]]) -> None:
        self._ask = ask
        self.cookie = ""

    def visit(self, what: str = "", **variables: str) -> tuple[int, str]:
        more = {"HTTP_COOKIE": self.cookie} if self.cookie else {}
        status, head, page = self._ask(QUERY_STRING=f"what={what}", **more, **variables)
        for line in head:
            if match := re.match(r"Set-Cookie: ([^;]*)", line):
                self.cookie = "" if "Max-Age=0" in line else match[1]
        return status, page


def _cgi(folder: Path) -> Callable[..., tuple[int, list[str], str]]:
    def ask(**variables: str) -> tuple[int, list[str], str]:
        source = DOOR + "run(door, sessions=FileStore('sessions'))"
        answer = run_script(folder, source, **variables)
        return answer.status, answer.head, answer.page

    return ask


def _fastcgi(folder: Path, stack: ExitStack) -> Callable[..., tuple[int, list[str], str]]:
    source = DOOR + "run(door, sessions=FileStore('sessions'))"
    app = stack.enter_context(application(folder, source))

    def ask(**variables: str) -> tuple[int, list[str], str]:
        answer = app.ask(**variables)
        return answer.status, answer.head, answer.page

    return ask


def _wsgi(folder: Path) -> Callable[..., tuple[int, list[str], str]]:
    names: dict[str, Any] = {}
    exec(PROLOGUE + DOOR, names)
    made = WSGI(names["door"], sessions=FileStore(folder / "sessions"))

    def ask(**variables: str) -> tuple[int, list[str], str]:
        environ: dict[str, Any] = {**variables, "wsgi.errors": sys.stderr}
        setup_testing_defaults(environ)
        started: list[Any] = []
        page = b"".join(made(environ, lambda *given: started.append(given))).decode()
        status, fields, *_ = started[-1]
        return int(status[:3]), [f"{name}: {value}" for name, value in fields], page

    return ask


@pytest.fixture(params=["cgi", "fastcgi", "wsgi"])
def browser(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Browser]:
    with ExitStack() as stack:
        if request.param == "cgi":
            yield Browser(_cgi(tmp_path))
        elif request.param == "fastcgi":
            yield Browser(_fastcgi(tmp_path, stack))
        else:
            yield Browser(_wsgi(tmp_path))


def test_guesses_are_counted_where_the_answer_is_an_http_error(browser: Browser) -> None:
    """An `HTTPError` of the script's is its answer: the session is saved, and its cookie set."""
    assert browser.visit("answer")[0] == 403
    assert browser.cookie
    assert browser.visit("unavailable")[0] == 503
    before = browser.cookie
    assert browser.visit("new")[0] == 403
    assert browser.cookie != before  # rotated, and the visitor knows
    assert browser.visit() == (200, "3")


def test_a_change_inside_a_value_after_closing_is_a_bug(browser: Browser) -> None:
    browser.visit()
    assert browser.visit("late")[0] == 500
    assert browser.visit() == (200, "2")


@pytest.mark.parametrize(
    "whats",
    [
        [("forged", 403), ("field", 400), ("limit", 413), ("locked", 503), ("storage", 500)],
        [("bug", 500), ("end", 500), ("gone", 410), ("abandoned", 403), ("no json", 500)],
    ],
    ids=["cgikit's own", "others"],
)
def test_all_else_that_is_raised_saves_nothing(
    browser: Browser, whats: list[tuple[str, int]]
) -> None:
    """A forged form above all, by a handler that writes before it checks."""
    assert browser.visit() == (200, "0")
    for what, status in whats:
        assert browser.visit(what, REQUEST_METHOD="POST")[0] == status, what
    assert browser.visit() == (200, "1")


def test_the_page_of_a_bug_has_the_cookie_of_what_was_saved_before(browser: Browser) -> None:
    """A rotated session that was closed before a bug logged the visitor out: nobody told the browser
    the new id.
    """
    browser.visit()
    before = browser.cookie
    assert browser.visit("closed")[0] == 500
    assert browser.cookie not in {"", before}
    assert browser.visit() == (200, "2")
    assert browser.visit("destroyed")[0] == 500
    assert browser.cookie == ""
