"""The client of a test: it sends requests to a handler or a script file, keeps cookies, and follows
redirects.

`sending.py` and `environment.py` build the requests; `handlers.py` and `scripts.py` are the two targets
that answer them. The names are those of the test clients of Starlette and Flask.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, Protocol, Self, TypedDict, Unpack
from urllib.parse import urljoin, urlsplit

from ..environ import MetaVariables
from ..errors import StateError
from ..formbody import Fields, Files
from ..host.environ import ServerRequest
from ..limits import Limits
from ..request import Request
from ..response import Response
from ..sessions.session import Session
from ..sessions.store import Store
from ..upload import Upload
from ..wsgi import WSGI
from . import sending
from .answer import Answer
from .environment import Site
from .handlers import HandlerTarget
from .jar import Cookies
from .scripts import ScriptTarget

MAX_REDIRECTS = 20  # as browsers
_SCRIPT_NAME = "/cgi-bin/app.py"  # of a handler

Headers = Mapping[str, str] | list[tuple[str, str]]
Environ = Mapping[str, str | None]

#: Fields that describe a body, and are not sent again without it (Fetch, HTTP-redirect fetch).
_OF_BODY = ("content-encoding", "content-language", "content-location", "content-type")


class Options(TypedDict, total=False):
    """The options of `run` that `Client` takes for a handler."""

    limits: Limits | None
    debug: bool | None
    errors: str
    charset: str
    upload_dir: str | None
    progress: Callable[[int, int], object] | None
    on_upload: Callable[[Upload, bytes], object] | None


class Asking(TypedDict, total=False):
    """The arguments of every request."""

    params: Fields | None
    headers: Headers | None
    environ: Environ | None
    follow_redirects: bool | None


class Sending(Asking, total=False):
    """The arguments of a request with a body."""

    data: Fields | None
    files: Files | None
    json: object
    content: bytes | str | None


class _Target(Protocol):
    script_name: str

    def covers(self, path: str) -> bool: ...
    def variables(self, asked: ServerRequest, more: Environ) -> dict[str, str]: ...
    def ask(self, asked: ServerRequest, content: bytes | None, more: Environ) -> Answer: ...
    def close(self) -> None: ...


class Client:
    """Sends requests to a handler, a `WSGI` application of one, a script file or a directory of them.

    A handler is called in this process, with the options of `run`; a script runs in a process of its
    own, with the environment that a server gives it. `sessions` is the store of the handler's sessions,
    and of `session`. `headers` and `environ` (meta-variables; None removes one) are sent with every
    request. `base_url` is the URL of the site, `script_name` the URL path of the handler or the script.

    With `raise_errors` a bug is raised in the test: an exception that the handler does not answer, and
    a `ScriptError` if a script gives no valid answer or exits with a status other than 0. Without it
    the answer is the one that visitors get, and `Answer.error` is the exception.

    `interpreter` runs a script that cannot run by itself; `timeout` is in seconds. `compat` gives a
    script cgikit's `cgi` and `cgitb` if its Python has none, as `cgikit serve --compat` does.
    """

    def __init__(
        self,
        target: "Callable[[Request], Response | str] | WSGI | str | os.PathLike[str]",
        *,
        sessions: Store | None = None,
        headers: Headers | None = None,
        cookies: Mapping[str, str] | None = None,
        environ: Environ | None = None,
        raise_errors: bool = True,
        follow_redirects: bool = False,
        base_url: str = "http://localhost",
        script_name: str | None = None,
        interpreter: str | None = None,
        timeout: float = 60.0,
        compat: bool = False,
        **options: Unpack[Options],
    ) -> None:
        self.headers = dict(headers or {})
        self.environ = dict(environ or {})
        self.cookies = Cookies()
        self.cookies.update(cookies or {})
        self.follow_redirects = follow_redirects
        self._site = Site(base_url)
        self._sessions = sessions
        self._target: _Target
        if isinstance(target, str | os.PathLike):
            if options:
                raise TypeError(
                    f"a script file has its own {', '.join(options)}; only handlers take them here"
                )
            path = os.fsdecode(target)
            self._target = ScriptTarget(
                path, script_name, interpreter, timeout, raise_errors, compat
            )
            return
        if compat:
            raise TypeError(
                "compat=True is for script files; a handler runs in this process: call "
                "cgikit.compat.install() before its `import cgi`"
            )
        given: dict[str, Any] = dict(options)
        if unknown := given.keys() - Options.__annotations__.keys():
            raise TypeError(f"{', '.join(sorted(unknown))} is not an option of Client")
        if isinstance(target, WSGI):
            self._sessions = sessions if sessions is not None else target.sessions
            given = {**_options_of(target), **given}
            target = target.handler
        given["sessions"] = self._sessions
        name = _SCRIPT_NAME if script_name is None else script_name
        self._target = HandlerTarget(target, name, raise_errors, given)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop scripts that still run. Nothing else needs it."""
        self._target.close()

    # --- asking -------------------------------------------------------------------------------

    def get(self, path: str = "", **asking: Unpack[Asking]) -> Answer:
        """Send a GET request. `request` describes the arguments."""
        return self.request("GET", path, **asking)

    def head(self, path: str = "", **asking: Unpack[Asking]) -> Answer:
        """Send a HEAD request: the answer has no content."""
        return self.request("HEAD", path, **asking)

    def options(self, path: str = "", **asking: Unpack[Asking]) -> Answer:
        """Send an OPTIONS request."""
        return self.request("OPTIONS", path, **asking)

    def post(self, path: str = "", **sending: Unpack[Sending]) -> Answer:
        """Send a POST request."""
        return self.request("POST", path, **sending)

    def put(self, path: str = "", **sending: Unpack[Sending]) -> Answer:
        """Send a PUT request."""
        return self.request("PUT", path, **sending)

    def patch(self, path: str = "", **sending: Unpack[Sending]) -> Answer:
        """Send a PATCH request."""
        return self.request("PATCH", path, **sending)

    def delete(self, path: str = "", **sending: Unpack[Sending]) -> Answer:
        """Send a DELETE request."""
        return self.request("DELETE", path, **sending)

    def request(
        self,
        method: str,
        path: str = "",
        *,
        params: Fields | None = None,
        data: Fields | None = None,
        files: Files | None = None,
        json: object = None,
        content: bytes | str | None = None,
        headers: Headers | None = None,
        environ: Environ | None = None,
        follow_redirects: bool | None = None,
    ) -> Answer:
        """Send a request and return the answer (`Answer`).

        `path` is the part of the URL after the script: "" is the script itself, "/x" its PATH_INFO,
        "?a=1" a query; the whole path, with SCRIPT_NAME, works as well. For a directory it begins with
        the script. `params` are more fields of the query.

        The body is one of these: `data`, the fields of a form, with `files`, as in `{"photo":
        ("cat.jpg", b"…")}` or `{"photo": ("cat.jpg", b"…", "image/jpeg")}`; `json`, a value;
        `content`, bytes or text, sent unchanged. If a value is a list, its name is repeated.

        `follow_redirects` (default: the client's setting) follows redirects, including local ones.
        `ValueError` if a target is not below this script, or after too many redirects.
        """
        body, kind = sending.body(data, files, json, content)
        url = sending.query(self._url(path), params)
        fields = [*_pairs(self.headers), *_pairs(headers)]
        more = {**self.environ, **(environ or {})}
        answer = self._ask(method, url, fields, body, kind, more)
        follow = self.follow_redirects if follow_redirects is None else follow_redirects
        history: list[Answer] = []
        while follow and answer.is_redirect:
            if len(history) == MAX_REDIRECTS:
                raise ValueError(
                    f"more than {MAX_REDIRECTS} redirects: the last to {answer.location}"
                )
            history.append(answer)
            if answer.local_redirect or _becomes_get(method, answer.status):
                method, body, kind = "HEAD" if method == "HEAD" else "GET", None, ""
                fields = [field for field in fields if field[0].lower() not in _OF_BODY]
            target = answer.local_redirect or answer.location
            answer = self._ask(method, self._next(answer.url, target), fields, body, kind, more)
        answer.history = history
        return answer

    def _ask(
        self,
        method: str,
        url: str,
        fields: list[tuple[str, str]],
        body: bytes | None,
        kind: str,
        more: Environ,
    ) -> Answer:
        secure, path = self._site.is_secure, url.partition("?")[0]
        cookies = self.cookies.header(path, secure)
        headers = [*fields, *([("Cookie", cookies)] if cookies else [])]
        asked = self._site.request(method, url, headers, body, kind)
        answer = self._target.ask(asked, body, more)
        answer.url = asked.target
        for field in answer.headers.getlist("Set-Cookie"):
            self.cookies.take(field, self._site.host, path, secure)
        return answer

    def _url(self, path: str) -> str:
        """Return the path from the root of the site, with the query."""
        if "://" in path.partition("?")[0]:
            if not self._site.has(path):
                raise ValueError(f"{path!r} is a URL of another site; give a path")
            parts = urlsplit(path)
            return parts.path + (f"?{parts.query}" if parts.query else "")
        if path and not path.startswith(("/", "?")):
            raise ValueError(f"{path!r} is not a path: it must begin with '/' or '?'")
        name, only = self._target.script_name, path.partition("?")[0]
        if name and (only + "/").startswith(name + "/"):
            return path
        return name + path or "/"

    def _next(self, url: str, location: str) -> str:
        """Return the target of a redirect, as a path with its query."""
        try:
            whole = urljoin(f"{self._site.scheme}://{self._site.netloc}{url}", location)
            parts = urlsplit(whole)
            is_ours = self._site.has(whole) and self._target.covers(parts.path)
        except ValueError:  # not a URL, or not a port
            is_ours = False
        if not is_ours:
            raise ValueError(
                f"{url} redirects to {location!r}, which this client cannot request; check "
                "answer.location without follow_redirects"
            )
        return parts.path + (f"?{parts.query}" if parts.query else "")

    # --- the session --------------------------------------------------------------------------

    @property
    def session(self) -> Mapping[str, Any]:
        """A read-only copy of the session of this client's visitor; empty if there is none.

        `session_transaction` changes the session.
        """
        environ = self._session_environ()
        return MappingProxyType(dict(Session(self._store(), MetaVariables(environ), readonly=True)))

    @contextmanager
    def session_transaction(self) -> Iterator[Session]:
        """Open the visitor's session, or begin one, and save what the `with` block changes in it: `with
        client.session_transaction() as session: session["user"] = "ada"`.
        """
        request = Request(self._session_environ(), sessions=self._store())
        try:
            yield request.session
        except BaseException:
            request.drop_session()
            raise
        page = Response("")
        request.save_session(page)
        for field in page.headers.getlist("Set-Cookie"):
            self.cookies.take(field, self._site.host, "/", self._site.is_secure)

    def _store(self) -> Store:
        if self._sessions is None:
            raise StateError(
                "this client has no sessions: give it the store, as sessions=FileStore(…)"
            )
        return self._sessions

    def _session_environ(self) -> dict[str, str]:
        path = self._target.script_name or "/"
        cookies = self.cookies.header(path, self._site.is_secure)
        fields = [("Cookie", cookies)] if cookies else []
        asked = self._site.request("GET", path, fields, None, "")
        return self._target.variables(asked, self.environ)


def _pairs(headers: Headers | None) -> list[tuple[str, str]]:
    if isinstance(headers, Mapping):
        return list(headers.items())
    return list(headers or ())


def _becomes_get(method: str, status: int) -> bool:
    """Whether a redirect is followed with GET (RFC 9110 sections 15.4.2 to 15.4.4)."""
    return status == 303 or (status in {301, 302} and method == "POST")


def _options_of(application: WSGI) -> dict[str, Any]:
    names = ("limits", "debug", "errors", "charset", "upload_dir", "progress", "on_upload")
    return {name: getattr(application, name) for name in names}
