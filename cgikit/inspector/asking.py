"""The request that a replay sends: the recorded one, or what somebody made of it in the form. Pure.

`Draft` has the texts of the form, as the page shows them, and makes a request of what comes back. A
value that was hidden and comes back unchanged stands for the recorded one.
"""

import re
from collections.abc import Iterable
from dataclasses import replace
from urllib.parse import quote

from cgikit.characters import printable
from cgikit.formbody import multipart
from cgikit.host.environ import ServerRequest
from cgikit.host.problem import Problem
from cgikit.maskedenviron import HIDDEN
from cgikit.multidict import MultiDict
from cgikit.querystring import build

from .exchange import Exchange
from .hiding import Hiding
from .maskedbody import URLENCODED
from .parts import Parts

Pairs = list[tuple[str, str]]
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,100}")
_METHOD = re.compile(r"[A-Za-z][A-Za-z-]{0,31}")
_IN_PATH = "/%!$&'()*+,;=:@-._~[]{}|^`\"<>\\"
_BODILESS = ("GET", "HEAD")


class Asked:
    """A request to send: `request`, and its whole body or None."""

    def __init__(self, request: ServerRequest, body: bytes | None) -> None:
        self.request = request
        self.body = body


def whole_body(exchange: Exchange) -> bytes | None:
    """Return the body of a recorded request. `Problem` 409 if not all of it was kept."""
    wanted = exchange.request.content_length
    if not wanted:
        return None if wanted is None else b""
    body = exchange.body
    if body is None or body.length < wanted:
        raise Problem(409, "The body was not read by a script, so it was not kept.", _BY_HAND)
    if body.is_cut:
        raise Problem(409, f"Of the body, {wanted:,} bytes, only the beginning was kept.", _BY_HAND)
    return body.kept


_BY_HAND = "Send the request from the browser again."


def same(exchange: Exchange) -> Asked:
    """Return the recorded request. `Problem` 409 if its body was not kept."""
    return Asked(exchange.request, whole_body(exchange))


class Draft:
    """The texts of the form for a recorded request.

    `method`, `path`, `query` and `form` (pairs), `headers` (lines), `body` (text, None if the body is a
    form or no text), `kept` (what of the body cannot be edited, such as the names of files).
    """

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._parts = parts = Parts(exchange)
        self._hiding = hiding = Hiding(exchange, parts.fields)
        request = exchange.request
        self._recorded = whole_body(exchange)
        self.method = request.method
        self.path = hiding.text(request.path)
        self.query = [(name, self._shown(name, value)) for name, value in parts.query]
        self.form = [(name, self._shown(name, value)) for name, value in parts.form]
        lines = [f"{name}: {hiding.header(name, value)}" for name, value in request.headers]
        if request.content_type:
            lines.append(f"Content-Type: {hiding.text(request.content_type)}")
        self.headers = "\n".join(map(printable, lines))
        self.kept = [f"{one.name}: {hiding.text(one.filename)}" for one in parts.files]
        self.body: str | None = None
        self._is_form = parts.media_type in (URLENCODED, "multipart/form-data") and not parts.why
        if self._recorded and not self._is_form:
            self._edit_body(self._recorded)

    def _edit_body(self, body: bytes) -> None:
        text = self._hiding.data(body, self._exchange.request.content_type).decode(
            "utf-8", "surrogateescape"
        )
        if printable(text, keep="\r\n\t") == text:
            self.body = text
        else:
            self.kept.append(f"a body of {len(body):,} bytes that is not text")

    def _shown(self, name: str, value: str) -> str:
        return printable(self._hiding.value(name, value), keep="\r\n\t")

    def asked(self, given: MultiDict) -> Asked:
        """Return the request that the form describes. `Problem` 400 if it is not one."""
        method = given.get("method", "").strip()
        if not _METHOD.fullmatch(method):
            raise Problem(400, f"{method[:40]!r} is not a method.", "Use one such as GET or POST.")
        request = replace(
            self._exchange.request,
            method=method,
            path=self._path(given.get("path", "")),
            query=self._query(given),
            content_length=None,
            content_type="",
        )
        headers, kind = self._fields(given.get("headers", ""))
        body, kind = (None, kind) if method in _BODILESS else self._content(given, kind)
        length = None if body is None else len(body)
        request = replace(request, headers=headers, content_length=length, content_type=kind)
        return Asked(request, body)

    def _path(self, text: str) -> str:
        recorded = self._exchange.request.path
        path = recorded if text == self.path else quote(text, safe=_IN_PATH, errors="replace")
        if not path.startswith("/") or HIDDEN in path:
            raise Problem(400, f"{text[:80]!r} is not a path.", "Begin it with a slash.")
        return path

    def _query(self, given: MultiDict) -> str:
        pairs = _rows(given, "query")
        if pairs == _normal(self.query):  # as it was: also what is not made of fields
            return self._exchange.request.query
        return build(self._restored(pairs, self._parts.query))

    def _fields(self, text: str) -> tuple[tuple[tuple[str, str], ...], str]:
        """Return the header fields of the text, and the Content-Type apart."""
        recorded = self._exchange.request
        left = [
            *recorded.headers,
            *[("Content-Type", recorded.content_type)][: bool(recorded.content_type)],
        ]
        fields: list[tuple[str, str]] = []
        kind = ""
        for line in filter(str.strip, text.splitlines()):
            name, colon, value = line.partition(":")
            name, value = name.strip(), value.strip()
            if not colon or not _TOKEN.fullmatch(name):
                raise Problem(
                    400, f"{line[:80]!r} is not a header field.", "Write each as Name: value."
                )
            value = self._header(name, value, left)
            if name.lower() == "content-type":
                kind = value
            elif name.lower() not in ("content-length", "transfer-encoding"):
                fields.append((name.title(), value))
        return tuple(fields), kind

    def _header(self, name: str, value: str, left: Pairs) -> str:
        for field in left:
            shown = printable(self._hiding.header(field[0], field[1]))
            if field[0].lower() == name.lower() and value in (shown.strip(), field[1]):
                left.remove(field)
                return field[1]
        if HIDDEN in value:
            raise _still_hidden(name)
        return value

    def _content(self, given: MultiDict, kind: str) -> tuple[bytes | None, str]:
        """Return the body and its Content-Type."""
        form = _rows(given, "form")
        text = given.get("body", "")
        if self._is_form or (form and self._recorded is None):
            if form == _normal(self.form) and self._recorded is not None:
                return self._recorded, kind
            pairs = self._restored(form, self._parts.form)
            if self._parts.media_type == "multipart/form-data":
                files = [
                    (f.name, (f.filename, f.content, f.content_type)) for f in self._parts.files
                ]
                return multipart(pairs, files)
            return build(pairs).encode(), kind or URLENCODED
        if self.body is not None and _lines(text) != _lines(self.body):
            if HIDDEN in text:
                raise _still_hidden("The body")
            return text.encode("utf-8", "surrogateescape"), kind
        if self._recorded is None and text:
            return text.encode("utf-8", "surrogateescape"), kind or "text/plain; charset=utf-8"
        return self._recorded, kind

    def _restored(self, given: Pairs, recorded: Pairs) -> Pairs:
        """Return fields, with the recorded value for each that comes back as it was shown."""
        left = list(recorded)
        found: Pairs = []
        for name, value in given:
            for field in left:
                if field[0] == name and _lines(self._shown(*field)) == _lines(value):
                    left.remove(field)
                    value = field[1]
                    break
            else:
                if HIDDEN in value:
                    raise _still_hidden(name)
            found.append((name, value))
        return found


def _still_hidden(name: str) -> Problem:
    return Problem(
        400,
        f"{name[:80]} has {HIDDEN} in a value that was changed.",
        "Write the value in its place, or leave the field as it was.",
    )


def _rows(given: MultiDict, what: str) -> Pairs:
    names, values = given.getlist(f"{what}-name"), given.getlist(f"{what}-value")
    rows = zip(names, (_lines(value) for value in values), strict=False)
    return [(name, value) for name, value in rows if name or value]


def _normal(pairs: Iterable[tuple[str, str]]) -> Pairs:
    return [(name, _lines(value)) for name, value in pairs if name or value]


def _lines(text: str) -> str:
    """Return a text with the line ends of forms, whatever the browser has made of them."""
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n")
