"""The inspector as a WSGI application (PEP 3333) around the host: it answers below /_cgikit/.

All other requests go to the host, and are recorded. This module has the addresses of the pages and asks
`access.py` who may see them.
"""

import re
import secrets
from collections.abc import Callable, Iterable
from typing import Any

from cgikit.host.output import reason_of
from cgikit.host.problem import Problem
from cgikit.host.wsgi import Host, server_request
from cgikit.limits import Limits
from cgikit.querystring import parse

from . import access
from .asking import Asked, Draft, same
from .editpage import edit_page
from .exchange import Exchange
from .listpage import list_page, rows
from .markup import refusal
from .recorder import REQUESTS, Recorder, watched
from .replaying import replay
from .requestpage import request_page
from .saving import save
from .sourcepage import source_page
from .style import HEADERS

PREFIX = "/_cgikit"
_SOURCE = "/source/"
#: Below this URL path, the source of each script is shown.
SOURCES = PREFIX + _SOURCE[:-1]
_NUMBER = re.compile(r"/([0-9]{1,9})(?:/([a-z]+))?")
_MAX_FORM = 1 << 20  # bytes of a form of ours: fields, header and body of a request
StartResponse = Callable[..., Any]
Page = tuple[int, bytes, tuple[tuple[str, str], ...]]


class Inspector:
    """A WSGI application: the host, and the pages that show what `recorder` has seen of it.

    `off` says why there are no pages (str), "" if there are. Nothing is recorded then. The host's
    executor must be `recorder.watching(executor)`.
    """

    def __init__(self, host: Host, recorder: Recorder, off: str = "") -> None:
        self._host = host
        self._recorder = recorder
        self._off = off
        self._token = secrets.token_urlsafe(32)

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request (PEP 3333)."""
        request = server_request(environ)
        if request.path == PREFIX or request.path.startswith(PREFIX + "/"):
            return self._own(environ, start_response, request.path.removeprefix(PREFIX))
        if self._off:
            return self._host(environ, start_response)
        exchange = self._recorder.begin(request)
        try:
            return self._host(environ, watched(start_response, exchange))
        finally:
            self._recorder.leave(exchange)

    def _own(
        self, environ: dict[str, Any], start_response: StartResponse, path: str
    ) -> Iterable[bytes]:
        try:
            status, page, headers = self._page(environ, path)
        except Problem as problem:
            status, headers = problem.status, problem.headers
            page = refusal(status, problem.what, problem.fix)
        fields = [*HEADERS, ("Content-Length", str(len(page))), *headers]
        start_response(f"{status} {reason_of(status)}", fields)
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [page]

    def _page(self, environ: dict[str, Any], path: str) -> Page:
        if self._off:
            raise Problem(403, self._off)
        if why := access.denied(environ):
            raise Problem(403, why)
        method = environ["REQUEST_METHOD"]
        if method == "POST":
            return self._change(environ, path)
        if method not in ("GET", "HEAD"):
            raise Problem(
                405, "The inspector is only read, or used by its buttons.", headers=_ALLOW
            )
        if path == "/rows":
            return self._rows(environ)
        if not access.shows_page(environ):
            raise Problem(
                403, "The pages of the inspector are only shown by a browser, not fetched."
            )
        return self._read(environ, path)

    def _read(self, environ: dict[str, Any], path: str) -> Page:
        if path in ("", "/"):
            return 200, list_page(self._recorder.latest(), self._token, REQUESTS), ()
        if path.startswith(_SOURCE):
            asked = server_request(environ).path.removeprefix(PREFIX + _SOURCE[:-1])
            return 200, source_page(self._host.root, asked, self._host.rules), ()
        exchange, what = self._found(path)
        if what == "edit":
            return 200, edit_page(exchange.number, Draft(exchange), self._token), ()
        if what:
            raise Problem(404, "The inspector has no such page.")
        return 200, request_page(exchange, self._token), ()

    def _rows(self, environ: dict[str, Any]) -> Page:
        """Return the items of the list for the script of its page, which has the token."""
        given = str(environ.get("HTTP_X_CGIKIT_TOKEN", ""))
        if not secrets.compare_digest(given.encode("utf-8", "replace"), self._token.encode()):
            raise Problem(403, "Only the inspector's own page renews its list.")
        return 200, rows(self._recorder.latest()).encode("utf-8", "backslashreplace"), ()

    def _change(self, environ: dict[str, Any], path: str) -> Page:
        length = server_request(environ).content_length or 0
        if length > _MAX_FORM:
            raise Problem(413, "The form is too large.", f"Send at most {_MAX_FORM} bytes.")
        form = parse(environ["wsgi.input"].read(length), limits=_LIMITS)
        if why := access.forged(environ, form.get("token", ""), self._token):
            raise Problem(403, why)
        if path == "/clear":
            self._recorder.clear()
            return _go_to("")
        exchange, what = self._found(path)
        if what == "replay":
            return self._send(exchange, same(exchange), environ)
        if what == "send":
            return self._send(exchange, Draft(exchange).asked(form), environ)
        if what == "save":
            saved = save(exchange, self._host.root)
            return 200, request_page(exchange, self._token, f"Saved as {saved}"), ()
        raise Problem(404, "The inspector has no such button.")

    def _send(self, exchange: Exchange, asked: Asked, environ: dict[str, Any]) -> Page:
        gone = environ.get("waitress.client_disconnected", lambda: False)
        sent = replay(self._host, self._recorder, asked, exchange.number, gone)
        return _go_to(str(sent.number))

    def _found(self, path: str) -> tuple[Exchange, str]:
        match = _NUMBER.fullmatch(path)
        if match is None:
            raise Problem(404, "The inspector has no such page.")
        exchange = self._recorder.find(int(match[1]))
        if exchange is None:
            raise Problem(404, f"Request {match[1]} is not kept any more.")
        return exchange, match[2] or ""


_ALLOW = (("Allow", "GET, HEAD, POST"),)
_LIMITS = Limits(fields=10_000)  # a form of ours has two for each of a request's


def _go_to(page: str) -> Page:
    return 303, b"", (("Location", f"{PREFIX}/{page}"),)
