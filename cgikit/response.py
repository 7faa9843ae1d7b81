"""The answer: status, header fields and body, and how they are written for CGI and NPH.

Implements the script's side of RFC 3875 section 6 and the rules of RFC 9110 that an answer must keep
whatever the script does: no body with HEAD, 204 and 304, no field twice that may come once, nothing
that could split a header. A response is plain data until `answer` is asked for what to send; only
`send` touches the process.
"""

from .headers import Headers, cgi_head, check_fields

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime
    from typing import Any, BinaryIO

    from .environ import MetaVariables
    from .filebody import FileBody
    from .streamed import Body, Piece

HTML = "text/html; charset=utf-8"

_BODYLESS = frozenset((204, 205, 304))
_OF_BODY = frozenset((
    "content-type", "content-length", "content-encoding", "content-language", "content-range",
    "content-disposition",
))  # fmt: skip


class Response:
    """An answer to a request. `Response("<p>Hello</p>")` is an HTML page.

    `body` is a str (encoded by the charset of `content_type`), bytes (or a bytearray or memoryview),
    or an iterable of these, which is sent piece by piece. `status` is an int from 200 to 599.
    `headers` are (name, value) pairs or a mapping. A text type without a charset gets UTF-8; other
    types get none.

    What cannot be sent raises `ValueError` where it is set: a control character in a name, value or
    cookie, a status that is none. What depends on the whole answer raises it before anything is
    sent: a header that only the server may send, one twice that may come once, no Content-Type.
    """

    def __init__(
        self,
        body: "Body" = "",
        status: int = 200,
        headers: "Mapping[str, str] | Iterable[tuple[str, str]]" = (),
        content_type: str = HTML,
    ) -> None:
        self.body = body
        self.status = status
        self.headers = Headers(headers)
        if len(self.headers.getlist("Content-Type")) < 2:  # two are found when it is sent
            self.content_type = self.headers.get("Content-Type") or content_type
        self._file: FileBody | None = None
        self._location = ""  # of a redirect; `_chosen` if its status was given
        self._chosen = False
        self._internal = False  # a local redirect, which the client does not see
        self._sent = False
        self._used: object = None  # the body, once it was begun and can be sent only once

    @property
    def status(self) -> int:
        """The HTTP status code (int, 200 to 599)."""
        return self._status

    @status.setter
    def status(self, status: int) -> None:
        if not isinstance(status, int) or not 200 <= status <= 599:
            raise ValueError(f"a status is an int from 200 to 599, not {status!r}")
        self._status = status

    @property
    def content_type(self) -> str:
        """The media type with its parameters (str)."""
        return self.headers.get("Content-Type", "") or ""

    @content_type.setter
    def content_type(self, value: str) -> None:
        lowered = value.lower()
        if "utf-7" in lowered or not value:
            raise ValueError(f"{value!r} is no content type: UTF-7 hides markup from every filter")
        if lowered.startswith("text/") and "charset=" not in lowered:
            value += "; charset=utf-8"  # RFC 3875 section 6.3.1: say it, or the client guesses
        self.headers["Content-Type"] = value

    @classmethod
    def html(cls, body: "str | Iterable[Piece]", status: int = 200) -> "Response":
        """Build an HTML page. What comes from outside must have gone through `escape`."""
        return cls(body, status)

    @classmethod
    def text(cls, body: str, status: int = 200) -> "Response":
        """Build a plain text answer."""
        return cls(body, status, content_type="text/plain; charset=utf-8")

    @classmethod
    def json(cls, value: object, status: int = 200) -> "Response":
        """Build a JSON answer (RFC 8259: UTF-8, no charset parameter).

        Raises `TypeError` for what JSON has no form for, `ValueError` for NaN and Infinity.
        """
        import json

        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
        # Half a surrogate pair cannot be UTF-8, but Python's \udc80 for it is JSON's own.
        return cls(
            text.encode("utf-8", "backslashreplace"), status, content_type="application/json"
        )

    @classmethod
    def redirect(
        cls, location: str, status: int | None = None, *, local: bool = False
    ) -> "Response":
        """Send the client to `location`: http(s)://…, /path, or relative to this request's URL.

        Without a `status` it is 302 after GET and HEAD, and 303 after every other method, so that a
        reload does not send a form again; 301, 307 and 308 are the other choices.

        `local=True` takes only what stays on this site: give it for every location that comes from
        outside. Other schemes, `//host` and backslashes raise `ValueError` in any case.
        """
        if status is not None and status not in {301, 302, 303, 307, 308}:
            raise ValueError(f"{status} is no redirect: use 301, 302, 303, 307 or 308")
        from .redirect import check_location

        response = cls("", status or 302)
        response._location = check_location(location, local)
        response._chosen = status is not None
        return response

    @classmethod
    def local_redirect(cls, path: str) -> "Response":
        """Let the server answer with another page of its own, as if that had been asked for.

        `path` is a URL path with its query, "/…". The client sees neither the redirect nor the new
        URL. The other page is asked for with GET (RFC 3875 section 6.2.2); nothing but the location can
        be sent, so headers and cookies raise `ValueError` when it is, as does an NPH script.
        """
        if not path.startswith("/"):
            raise ValueError(f"{path[:100]!r} is no path on this server: it must begin with /")
        response = cls.redirect(path, local=True)
        response._internal = True
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
        """Send a file, streamed, with Last-Modified and ETag; answers conditions and one range.

        The type is guessed from the name unless given, and is application/octet-stream if unknown,
        never HTML. `filename` makes it a download of that name. `x_sendfile=True` leaves sending to
        httpd's mod_xsendfile or lighttpd, `x_accel_redirect="/internal/…"` to nginx.

        Raises now, not when headers are out: `MissingFile`, a `FileNotFoundError` that becomes a 404
        where nobody catches it, other `OSError`s, and `ValueError` for what is no regular file.
        """
        from .filebody import FileBody, guess_type, handed_over

        response = cls((), content_type=content_type or guess_type(path))
        response.headers["X-Content-Type-Options"] = "nosniff"
        if filename is not None:
            response.attachment(filename)
        if x_sendfile or x_accel_redirect is not None:
            FileBody(path).close()  # only to see that it is there
            response.headers.add(*handed_over(path, x_accel_redirect))
        else:
            response._file = FileBody(path)  # last: what raises before must not leave it open
        return response

    @classmethod
    def stream(
        cls, chunks: "Iterable[Piece]", content_type: str = HTML, status: int = 200
    ) -> "Response":
        """Send `chunks` one by one as they come, each flushed. Servers may still buffer."""
        return cls(chunks, status, content_type=content_type)

    @property
    def expires(self) -> str | None:
        """The Expires field. Set it to "now", "+30m", "-1d", epoch seconds (int) or an aware
        datetime (`dates.moment` has the whole list); `ValueError` for anything else.
        """
        return self.headers.get("Expires")

    @expires.setter
    def expires(self, when: "int | float | str | datetime") -> None:
        from .dates import format_http_date, moment

        self.headers["Expires"] = format_http_date(moment(when))

    @property
    def cache_control(self) -> str | None:
        """The Cache-Control field, such as "no-store" or "max-age=600, private"."""
        return self.headers.get("Cache-Control")

    @cache_control.setter
    def cache_control(self, value: str) -> None:
        self.headers["Cache-Control"] = value

    def attachment(self, filename: str) -> None:
        """Make the answer a download named `filename` (RFC 6266): any text, quoted as needed, with
        `filename*` beside it where clients would read it otherwise. Slashes, controls, and what would
        show another name (bidirectional overrides) raise `ValueError`.
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
    ) -> None:
        """Add a cookie; `cookies.build` says what each argument means and what raises `ValueError`."""
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
        """Make the client forget a cookie; all arguments must be those that it was set with
        (`cookies.forget` says why).
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

    # --- for a server's face: `run`, `persistent` and `WSGI` send a response through these ---------

    def claim(self, request: "MetaVariables") -> None:
        """Reserve this response for `request`, before the cookie of its session is added.

        Raises `StateError` if it was sent or is reserved for another request: a response that a script
        keeps in a module variable would carry one visitor's cookies to the next.
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
        """Return the status, the fields and the body to send in answer to `request`.

        The rules that depend on the request apply here, and every field is checked once more, whatever
        set it (`ValueError`). The first piece of a stream is made here, so that a failure before it
        still gets an error page. A body that is all there comes as a tuple of bytes.

        The response can answer another request with another status or location. Only a body that can
        be read once (an iterator, a file) is used up: `StateError` for the next request. Where the
        answer has no body (HEAD, 204, 205, 304), it is closed.

        A server without internal redirects says `local_redirects=False`: a local redirect then goes
        to the client.
        """
        if self._internal:
            if (local_redirects and request.is_nph) or len(self.headers) > 1:
                raise ValueError(
                    "a local redirect is a location and nothing else (RFC 3875 section 6.2.2); use "
                    "Response.redirect to send headers or cookies"
                )
            if local_redirects:
                return 200, [("Location", self._location)], ()
        status, fields, body, length = self._selected(request)
        if status in _BODYLESS:
            fields = [field for field in fields if field[0].lower() not in _OF_BODY]
        elif not self.content_type:
            raise ValueError("an answer with a body needs a Content-Type (RFC 3875 section 6.2.1)")
        elif length is not None:
            fields = [field for field in fields if field[0].lower() != "content-length"]
            fields.append(("Content-Length", str(length)))
        announced = check_fields(status, fields)
        if status in _BODYLESS or request.method == "HEAD":
            self.close()
            return status, fields, ()
        if length is None:
            from .streamed import begin

            body = begin(body, self._encode, announced, isinstance(self.body, list | tuple))
        return status, fields, body

    def mark_sent(self) -> None:
        """Note that this response goes out: from now on `send` and `claim` raise `StateError`."""
        self._sent = True

    def _selected(
        self, request: "MetaVariables"
    ) -> "tuple[int, list[tuple[str, str]], Any, int | None]":
        """Return the status, the fields and the body for `request`: a tuple of bytes or the file, and
        the length, or an iterator over pieces, and None.

        Nothing of it is kept: the next request may need another status, or another location.
        """
        status, fields, body = self._status, self.headers.items(), self.body
        if self._file is not None:
            self._use_up(self._file)
            status, more = self._file.select(request.method, status, request.headers)
            return status, fields + more, self._file, self._file.length
        if self._location:
            from .redirect import finish

            status, location, body = finish(status, request, self._location, self._chosen)
            fields = [field for field in fields if field[0].lower() != "location"]
            fields.append(("Location", location))
        if not isinstance(body, str | bytes):
            from .streamed import taken

            taking = taken(body)  # a value that is not a body fails here
            if taking is body:  # an iterator gives its pieces once
                self._use_up(body)
            if not isinstance(taking, bytes):
                return status, fields, taking, None
            body = taking
        data = self._encode(body)
        return status, fields, (data,), len(data)

    def _use_up(self, body: object) -> None:
        """Note that a body which can be sent once is being sent; raise `StateError` the second time."""
        if self._used is body:
            from . import process

            raise process.misuse(
                "this response's body was sent already, and there is no more of it; make a new "
                "response for each request"
            )
        self._used = body

    def send(
        self, stdout: "BinaryIO | None" = None, request: "MetaVariables | None" = None
    ) -> bool:
        """Write this response as CGI output, once; tell whether the client took all of it.

        Without arguments it answers this process's request on its standard output. A second
        response, or output printed before, raises `StateError`.
        """
        from . import process

        if self._sent:
            raise process.misuse("this response was sent already; a request has one answer")
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
        """Let go of a file or generator that is the body; sending does it as well."""
        body = self.body if self._file is None else self._file
        close = getattr(body, "close", None)
        if close is not None:
            close()

    def _encode(self, piece: str | bytes) -> bytes:
        if isinstance(piece, bytes):
            return piece
        charset = self.content_type.lower().partition("charset=")[2].partition(";")[0].strip(' "')
        if charset in {"", "utf-8"}:
            # All that can fail is half a surrogate pair: what was not UTF-8 in a path or a variable.
            # A client must not be able to turn a page that shows it into an error.
            return piece.encode("utf-8", "replace")
        from .charsets import encoded

        return encoded(piece, charset, self.content_type)


def head(status: int, fields: "list[tuple[str, str]]", request: "MetaVariables") -> bytes:
    """Return what goes out before the body (bytes): the head of a CGI answer (RFC 3875 section 6.3),
    or of an HTTP response where the script is an NPH one (section 5).
    """
    if request.is_nph:
        from . import nph

        return nph.head(status, fields, request)
    return cgi_head(status, fields)


def _wire(head: bytes, chunks: "Iterable[bytes]") -> "Iterator[bytes]":
    """Join the head to a body that is there already, so that both go out in one write."""
    if isinstance(chunks, tuple):
        yield head + b"".join(chunks)
        return
    yield head
    yield from chunks
