"""A visitor's browser, as far as sessions see it: the cookie that it keeps, and requests with it."""

import re
from collections.abc import Callable
from typing import Any

from cgikit import Request, Response, Session
from cgikit.sessions.store import Store

Opener = Callable[..., Store]


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def pass_(self, seconds: float) -> None:
        self.now += seconds


class Visitor:
    """Keeps the session cookie, as browsers do."""

    def __init__(self, store: Store, value: str = "", name: str = "", **variables: str) -> None:
        self.store = store
        self.name = name or store.cookie_name("HTTPS" in variables)
        self.cookie = value
        self.variables = variables
        self.set_cookies: list[str] = []

    def request(self) -> Request:
        environ = {"REQUEST_METHOD": "GET", **self.variables}
        if self.cookie:
            environ["HTTP_COOKIE"] = f"{self.name}={self.cookie}"
        return Request(environ)

    def session(self, **options: Any) -> Session:
        return Session(self.store, self.request(), **options)

    def take(self, response: Response) -> None:
        """Take over the cookie of a response."""
        self.set_cookies = response.headers.getlist("Set-Cookie")
        for line in self.set_cookies:
            match = re.match(rf"{self.name}=([^;]*)(.*)", line)
            assert match, line
            self.cookie = "" if "Max-Age=0" in match[2] else match[1]

    def visit(self, change: Callable[[Session], Any] = dict, **options: Any) -> Any:
        """Make a request that does `change` with its session; return what that returned."""
        session = self.session(**options)
        try:
            result = change(session)
            response = Response()
            session.save(response)
        except BaseException:
            session.abandon()
            raise
        self.take(response)
        return result


def put(key: str, value: Any) -> Callable[[Session], None]:
    """A change that stores a value."""

    def change(session: Session) -> None:
        session[key] = value

    return change
