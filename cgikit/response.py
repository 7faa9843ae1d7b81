"""Responses: status, header fields and body, and how they are sent for CGI and NPH.

Implements the script's side of RFC 3875 section 6, and the rules of RFC 9110 that hold whatever the
script does: no body for HEAD, 204, 205 and 304, and a header that is checked as a whole. A response is
plain data until `answer` says what to send for a request. Only `send` touches the process.
"""

from .headers import Headers, cgi_head, check_fields

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime
    from typing import Any, BinaryIO, Literal

    from .environ import MetaVariables
    from .events import Event
    from .filebody import FileBody
    from .redirect import Redirect
    from .signing import Keys
    from .streamed import Piece, ResponseBody

HTML = "text/html; charset=utf-8"

_BODYLESS = frozenset((204, 205, 304))
_OF_BODY = frozenset((
    "content-type", "content-length", "content-encoding", "content-language", "content-range",
    "content-disposition",
))  # fmt: skip


class Response:
    """A response to a request. `Response("<p>Hello</p>")` is an HTML page.

    `body` is a str (encoded in the charset of `content_type`), bytes (or a bytearray or memoryview),
    or an iterable of these, which is sent piece by piece. `status` is an int from 200 to 599.
    `headers` is a mapping or an iterable of (name, value) pairs. A text type without a charset gets
    UTF-8; other types get none.

    Whatever cannot be sent raises `ValueError` when it is set: a control character in a name, value or
    cookie, an invalid status. Rules that concern the header as a whole raise it before anything is
    sent: a field that only the server may send, a second one of a name that may occur once, no
    Content-Type.
    """

    def __init__(
        self,
        body: "ResponseBody" = "",
        status: int = 200,
        headers: "Mapping[str, str] | Iterable[tuple[str, str]]" = (),
        content_type: str = HTML,
    ) -> None:
        self.body = body
        self.status = status
        self.headers = Headers(headers)
        # Two of them are an error when the response is sent.
        if len(self.headers.getlist("Content-Type")) < 2:
            self.content_type = self.headers.get("Content-Type") or content_type
        #: Whether to compress it (gzip) for clients that accept it: never with a secret in it (BREACH).
        self.compressed = False
        self._file: FileBody | None = None
        self._redirect: Redirect | None = None
        self._sent = False
        self._used: object = None  # the body, if it can be sent only once and has been begun

    @property
    def status(self) -> int:
        """The HTTP status code (int, 200 to 599)."""
        return self._status

    @status.setter
    def status(self, status: int) -> None:
        if not isinstance(status, int) or not 200 <= status <= 599:
            raise ValueError(f"status={status!r} is not valid; give an int from 200 to 599")
        self._status = status

    @property
    def content_type(self) -> str:
        """The media type with its parameters (str)."""
        return self.headers.get("Content-Type", "") or ""

    @content_type.setter
    def content_type(self, value: str) -> None:
        lowered = value.lower()
        if "utf-7" in lowered or not value:
            why = "UTF-7 hides markup from filters" if value else "it is empty"
            raise ValueError(
                f"content_type={value[:100]!r} is not valid: {why}; give one such as "
                "'text/html; charset=utf-8'"
            )
        if lowered.startswith("text/") and "charset=" not in lowered:
            value += "; charset=utf-8"  # without one the client guesses (RFC 3875 section 6.3.1)
        self.headers["Content-Type"] = value

    @classmethod
    def html(cls, body: "str | Iterable[Piece]", status: int = 200) -> "Response":
        """Build an HTML page. Whatever comes from outside must have gone through `escape`."""
        return cls(body, status)

    @classmethod
    def text(cls, body: str, status: int = 200) -> "Response":
        """Build a plain text response."""
        return cls(body, status, content_type="text/plain; charset=utf-8")

    @classmethod
    def json(cls, value: object, status: int = 200) -> "Response":
        """Build a JSON response (RFC 8259: UTF-8, no charset parameter).

        Raises `TypeError` for a value of a type that JSON does not have, `ValueError` for NaN and
        Infinity.
        """
        import json

        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        # UTF-8 has no half of a surrogate pair; Python's escape for it, \udc80, is also JSON's.
        return cls(
            text.encode("utf-8", "backslashreplace"), status, content_type="application/json"
        )

    @classmethod
    def redirect(
        cls, location: str, status: int | None = None, *, local: bool = False
    ) -> "Response":
        """Redirect the client to `location`: http(s)://…, /path, or relative to the request's URL.

        Without a `status` it is 302 for GET and HEAD and 303 for every other method, so that a reload
        does not send a form again; 301, 307 and 308 are also possible.

        `local=True` accepts only locations on this site: use it for every location that comes from
        outside. Other schemes, `//host` and backslashes always raise `ValueError`.
        """
        from .redirect import Redirect

        redirect = Redirect(location, status, local=local)
        response = cls("", status or 302)
        response._redirect = redirect
        return response

    @classmethod
    def local_redirect(cls, path: str) -> "Response":
        """Let the server answer with another of its pages, as if that one had been requested.

        `path` is a URL path, "/…", with an optional query. The client sees neither the redirect nor the
        new URL. The server requests the page with GET (RFC 3875 section 6.2.2). Only the location is
        sent: headers, cookies and an NPH script raise `ValueError` when the response is sent.
        """
        from .redirect import Redirect

        response = cls("", 302)
        response._redirect = Redirect(path, None, local=True, internal=True)
        return response

    @classmethod
    def file(
        cls,
        path: "str | os.PathLike[str]",
        *,
        content_type: str | None = None,
        filename: str | None = None,
        x_sendfile: bool = False,
        x_accel_redirect: str | None = None,
    ) -> "Response":
        """Send a file as a stream, with Last-Modified and ETag; conditions and a single range are
        answered.

        Without `content_type` the type is guessed from the name; if it is unknown, it is
        application/octet-stream, never HTML. `filename` makes the response a download of that name.
        `x_sendfile=True` leaves the sending to httpd's mod_xsendfile or to lighttpd,
        `x_accel_redirect="/internal/…"` to nginx.

        The file is opened now, before anything is sent. Raises `MissingFile`, a `FileNotFoundError`
        that becomes a 404 if it is not caught; other `OSError`s; `ValueError` if it is not a regular
        file.
        """
        from .filebody import guess_type, opened

        response = cls((), content_type=content_type or guess_type(path))
        response.headers["X-Content-Type-Options"] = "nosniff"
        if filename is not None:
            response.attachment(filename)
        # Last, so that no error above leaves it open
        response._file = opened(path, response.headers, x_sendfile, x_accel_redirect)
        return response

    @classmethod
    def stream(
        cls, chunks: "Iterable[Piece]", content_type: str = HTML, status: int = 200
    ) -> "Response":
        """Send each of `chunks` as soon as it is made, and flush it. Servers may still buffer."""
        return cls(chunks, status, content_type=content_type)

    @classmethod
    def events(cls, events: "Iterable[Event]") -> "Response":
        """Send each event as soon as it is made, to an `EventSource` in a page (server-sent events).
        The header is sent immediately.

        An event is a str, or a dict with `data`, and maybe `id`, `event` (its type) and `retry` (int,
        milliseconds); see `events.build` for what raises. None sends a comment, which pages do not
        see: if there is no event, yield one every 15 seconds, so that no server ends the answer and the
        script notices that its client has disconnected.
        """
        from .events import stream

        body, fields = stream(events)
        return cls(body, headers=fields)

    @classmethod
    def push(cls, pages: "Iterable[Response | str]") -> "Response":
        """Send pages or images of which each replaces the previous one (server push,
        multipart/x-mixed-replace). Each is HTML (str), or a `Response` of which the type and the body
        are sent. Chromium shows only images; see docs/reference/events.md.
        """
        from .push import stream

        body, fields = stream(pages)
        return cls(body, headers=fields)

    @property
    def expires(self) -> str | None:
        """The Expires field (str, or None). Set it to "now", "+30m", "-1d", epoch seconds (int) or an
        aware datetime; see `dates.moment` for all forms. `ValueError` for anything else.
        """
        return self.headers.get("Expires")

    @expires.setter
    def expires(self, when: "int | float | str | datetime") -> None:
        from .dates import format_http_date, moment

        self.headers["Expires"] = format_http_date(moment(when))

    @property
    def cache_control(self) -> str | None:
        """The Cache-Control field (str, or None): "no-store", "max-age=600, private"."""
        return self.headers.get("Cache-Control")

    @cache_control.setter
    def cache_control(self, value: str) -> None:
        self.headers["Cache-Control"] = value

    def vary(self, *names: str) -> None:
        """Add header fields of the request, such as "Accept", to the Vary field: the answer depends on
        them, and a cache must not send it to a client with others (RFC 9110 section 12.5.5).
        """
        from .accept import vary

        self.headers["Vary"] = vary(", ".join(self.headers.getlist("Vary")), names)

    def attachment(self, filename: str) -> None:
        """Make the response a download named `filename` (RFC 6266).

        The name is quoted as needed, and repeated as `filename*` if clients would misread it. An empty
        name, slashes, control characters and bidirectional overrides, which make another name appear,
        raise `ValueError`.
        """
        from .parameters import disposition

        self.headers["Content-Disposition"] = disposition(filename)

    def set_cookie(
        self,
        name: str,
        value: str,
        *,
        max_age: int | None = None,
        expires: "int | float | str | datetime | None" = None,
        path: str | None = "/",
        domain: str | None = None,
        secure: bool = False,
        httponly: bool = True,
        samesite: str | None = "Lax",
        partitioned: bool = False,
        priority: str | None = None,
        signed_with: "Keys | Literal[False]" = False,
    ) -> None:
        """Add a cookie; see `cookies.build` for the arguments and for what raises `ValueError`."""
        from .cookies import build

        cookie = build(
            name,
            value,
            max_age=max_age,
            expires=expires,
            path=path,
            domain=domain,
            secure=secure,
            httponly=httponly,
            samesite=samesite,
            partitioned=partitioned,
            priority=priority,
            signed_with=signed_with,
        )
        self.headers.add("Set-Cookie", cookie)

    def delete_cookie(
        self,
        name: str,
        *,
        path: str | None = "/",
        domain: str | None = None,
        secure: bool = False,
        samesite: str | None = "Lax",
        partitioned: bool = False,
    ) -> None:
        """Make the client delete a cookie. All arguments must be those it was set with; see
        `cookies.forget` for the reason.
        """
        from .cookies import forget

        cookie = forget(
            name,
            path=path,
            domain=domain,
            secure=secure,
            samesite=samesite,
            partitioned=partitioned,
        )
        self.headers.add("Set-Cookie", cookie)

    # --- for those who connect a server: `run`, `persistent` and `WSGI` send a response by these -----

    def claim(self, request: "MetaVariables") -> None:
        """Reserve this response for `request`; call this before the session's cookie is added.

        Raises `StateError` if it was sent, or is reserved for another request. A response that a script
        keeps in a module variable would otherwise carry one visitor's cookies to the next.
        """
        # In one step: two threads may return the same response at the same time.
        if self._sent or vars(self).setdefault("_request", request) is not request:
            from . import process

            raise process.misuse(
                "the handler returned a response that was used before; make a new one for each request"
            )

    def answer(
        self, request: "MetaVariables", *, local_redirects: bool = True
    ) -> "tuple[int, list[tuple[str, str]], Iterable[bytes]]":
        """Return the status, the fields and the body (an iterable of bytes) to send for `request`.

        All rules that depend on the request are applied here, and every field is checked again,
        however it was set (`ValueError`). The first piece of a stream is made here, so that an error
        before it still becomes an error page. A body of known content is a tuple.

        The same response can be asked again for another request, which may get another status or
        location. But an iterator or a file can be read only once: asking again raises `StateError`. If
        the answer has no body (HEAD, 204, 205, 304), such a body is closed.

        For a server without internal redirects give `local_redirects=False`: a local redirect is then
        sent to the client as an ordinary one.
        """
        if self._redirect is not None and self._redirect.internal:
            self._redirect.check(self.headers, local_redirects and request.is_nph)
            if local_redirects:
                return 200, [("Location", self._redirect.location)], ()
        status, fields, body, length = self._selected(request)
        if status in _BODYLESS:
            fields = [field for field in fields if field[0].lower() not in _OF_BODY]
        elif not self.content_type:
            raise ValueError(
                "the response has no Content-Type, which an answer with a body needs (RFC 3875 section "
                "6.2.1); set content_type"
            )
        elif length is not None:
            fields = [field for field in fields if field[0].lower() != "content-length"]
            fields.append(("Content-Length", str(length)))
        announced = check_fields(status, fields)
        compress = None
        if self.compressed:
            from .compression import prepare

            fields, body, compress = prepare(request, status, fields, body)
        if status in _BODYLESS or request.method == "HEAD":
            self.close()
            return status, fields, ()
        if length is None:
            from .streamed import begin

            body = begin(body, self._encode, announced, isinstance(self.body, list | tuple))
        return status, fields, compress(body) if compress else body

    def mark_sent(self) -> None:
        """Record that this response is sent: from now on `send` and `claim` raise `StateError`."""
        self._sent = True

    def _selected(
        self, request: "MetaVariables"
    ) -> "tuple[int, list[tuple[str, str]], Any, int | None]":
        """Return the status, the fields, the body and its length for `request`. The body is a tuple of
        bytes or the file; or an iterator over the pieces of a stream, with None as its length.

        Neither status nor location is stored: the next request may need others.
        """
        status, fields, body = self._status, self.headers.items(), self.body
        if self._file is not None:
            self._use_up(self._file)
            status, more = self._file.select(request.method, status, request.headers)
            return status, fields + more, self._file, self._file.length
        if self._redirect is not None:
            status, location, body = self._redirect.finish(status, request)
            fields = [field for field in fields if field[0].lower() != "location"]
            fields.append(("Location", location))
        if not isinstance(body, str | bytes):
            from .streamed import taken

            taking = taken(body)  # raises `TypeError` for a value that is not a body
            if taking is body:  # an iterator yields its pieces only once
                self._use_up(body)
            if not isinstance(taking, bytes):
                return status, fields, taking, None
            body = taking
        data = self._encode(body)
        return status, fields, (data,), len(data)

    def _use_up(self, body: object) -> None:
        """Record that a body which can be read only once is read; raise `StateError` if it was."""
        if self._used is body:
            from .streamed import used_up

            raise used_up()
        self._used = body

    def send(
        self, stdout: "BinaryIO | None" = None, request: "MetaVariables | None" = None
    ) -> bool:
        """Write this response as CGI output, once. Return False if the client disconnected early.

        Without arguments it is the answer to this process's request, on standard output. A second
        response, or output that was printed before, raises `StateError`.
        """
        from . import process

        if self._sent:
            raise process.misuse(
                "this response was sent already; send one response for each request"
            )
        if request is None:
            from .environ import MetaVariables

            request = MetaVariables(process.environ())
        try:
            status, fields, chunks = self.answer(request)
            start = head(status, fields, request)
            if stdout is None:
                pieces = (start, self._file) if chunks is self._file else _wire(start, chunks)
                complete = process.send(pieces, whole=isinstance(chunks, tuple))
                self.mark_sent()
            else:
                complete = True
                self.mark_sent()
                for piece in _wire(start, chunks):
                    process.write(stdout, piece)
        finally:
            self.close()
        return complete

    def close(self) -> None:
        """Close a body that is a file or a generator. `send` does this."""
        body = self.body if self._file is None else self._file
        close = getattr(body, "close", None)
        if close is not None:
            close()

    def _encode(self, piece: str | bytes) -> bytes:
        if isinstance(piece, bytes):
            return piece
        charset = self.content_type.lower().partition("charset=")[2].partition(";")[0].strip(' "')
        if charset in {"", "utf-8"}:
            # Only half of a surrogate pair can fail: it stands for a byte of a path or a variable that
            # was not UTF-8. No client may turn a page that shows it into an error.
            return piece.encode("utf-8", "replace")
        from .charsets import encoded

        return encoded(piece, charset, self.content_type)


def head(status: int, fields: "list[tuple[str, str]]", request: "MetaVariables") -> bytes:
    """Return the bytes that precede the body: the header of a CGI answer (RFC 3875 section 6.3), or of
    an HTTP response if the script is an NPH script (section 5).
    """
    if request.is_nph:
        from . import nph

        return nph.head(status, fields, request)
    return cgi_head(status, fields)


def _wire(head: bytes, chunks: "Iterable[bytes]") -> "Iterator[bytes]":
    """Yield what to write. A body of known content is joined to the head: one write for both."""
    if isinstance(chunks, tuple):
        yield head + b"".join(chunks)
        return
    yield head
    yield from chunks
