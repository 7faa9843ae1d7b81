"""A handler as a WSGI application (PEP 3333): the same function under any WSGI server.

`script.run` is for a process that answers one request, `WSGI` for a server that calls it many times and
from many threads. This module converts the WSGI environment to the meta-variables of CGI, the input of
the server to the body, and a `Response` to an iterable for the server. `request.py` decides what a
request means, `response.py` what may be sent; `debug.py` makes error pages.
"""

from io import SEEK_END
from time import time

from . import process
from .debug import answer_error, broke_off
from .errors import BadRequest
from .filebody import FileBody
from .limits import DEFAULT_LIMITS, Limits
from .request import Request
from .response import Response
from .script import respond
from .status import REASONS
from .streamed import Announced
from .upload import Upload

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from os import PathLike
    from typing import Any, BinaryIO, TextIO
    from wsgiref.types import StartResponse, WSGIEnvironment

    from .debug import OnError
    from .sessions.store import Store
    from .upload import Upload

_CHUNK = 131_072
_FILE_CHUNK = 262_144
_SHORTER = "the file became shorter while it was being sent"
# Seconds since the last change. A file that grows, as a log does, would seem to be changed at the end.
_UNCHANGED = 60


class Truncated(Exception):
    """The body failed after a part of it was sent. The server must close the connection, so that the
    client sees that the answer is incomplete. The cause is already logged under the incident number.
    """


class WSGI:
    """A WSGI application that answers each request with what `handler(request)` returns.

    `handler` and the options are the same as for `run`, and so are sessions, error pages, incident
    numbers and log entries, which go to `wsgi.errors`, or to the file `log`. CGIKIT_DEBUG is
    read from the environment of the server. The application keeps nothing between requests: a server
    may call it from any number of threads, if the handler allows that.

    If the server guarantees that its input ends (`wsgi.input_terminated`), a chunked body is read to
    its end before the handler is called. If it does not, reading such a body raises `LengthRequired`
    (411). WSGI has no local redirects (RFC 3875 section 6.2.2): one goes to the client, like that of
    `Response.redirect`.
    """

    def __init__(
        self,
        handler: "Callable[[Request], Response | str]",
        *,
        sessions: "Store | None" = None,
        limits: Limits | None = None,
        debug: bool | None = None,
        errors: str = "replace",
        charset: str = "utf-8",
        upload_dir: str | None = None,
        progress: "Callable[[int, int], object] | None" = None,
        on_upload: "Callable[[Upload, bytes], object] | None" = None,
        on_error: "OnError | None" = None,
        log: "str | PathLike[str] | None" = None,
    ) -> None:
        if charset != "utf-8":
            from .charsets import of_page

            of_page(charset)  # an invalid name is reported now, and not by every request
        self.handler = handler
        self.sessions = sessions
        self.limits = limits or DEFAULT_LIMITS
        self.debug = debug
        self.errors = errors
        self.charset = charset
        self.upload_dir = upload_dir
        self.progress = progress
        self.on_upload = on_upload
        self.on_error = on_error
        self.log = None if log is None else process.absolute(log)

    def __repr__(self) -> str:
        return f"<WSGI {getattr(self.handler, '__name__', self.handler)!s}>"

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> "Iterable[bytes]":
        """Answer one request (PEP 3333)."""
        variables = meta_variables(environ)
        source: Any = _Input(environ["wsgi.input"])
        request = Request(
            variables,
            source,
            limits=self.limits,
            errors=self.errors,
            charset=self.charset,
            upload_dir=self.upload_dir,
            progress=self.progress,
            on_upload=self.on_upload,
            sessions=self.sessions,
        )
        try:
            ended = bool(environ.get("wsgi.input_terminated"))
            answer = self._answer(request, source, variables if ended else {}, environ)
        except BaseException:
            source.close()
            request.close()
            raise
        try:
            reason = REASONS.get(answer.status, "Unknown")
            if "mod_wsgi.version" in environ and answer.may_be_short():
                # mod_wsgi ends an incomplete answer as if it were complete, and httpd would send the
                # next answer inside this one. Only httpd accepts this field from an application.
                answer.fields.append(("Connection", "close"))
            start_response(f"{answer.status} {reason}", answer.fields)
            return answer.body(environ.get("wsgi.file_wrapper"))
        except BaseException:  # the server closes only what was returned to it
            answer.close()
            raise

    def _stream(self, errors: "TextIO") -> "TextIO":
        """Return the log: the one of the server, or a file of the application's own."""
        if self.log is None:
            return errors
        from .logfile import LogFile

        return LogFile(self.log, errors)  # type: ignore[return-value]

    def _answer(
        self,
        request: Request,
        source: "_Input",
        variables: dict[str, str],
        environ: "WSGIEnvironment",
    ) -> "_Answer":
        """Call the handler; return its answer, or that of an error page, ready to be sent."""
        stream: TextIO = self._stream(environ["wsgi.errors"])
        own = process.pid()
        try:
            _check(request.environ.values())
            source.gather(variables, self.limits.body, self.upload_dir)
            return _Answer(respond(self.handler, request), request, source, stream, self.on_error)
        except (
            Exception,
            SystemExit,
        ) as error:  # SystemExit would end the server or one of its threads
            if process.pid() != own:  # the handler forked: only the process of the server answers
                process.end(error)
            debug = self.debug
            if debug is None:
                debug = process.environ().get("CGIKIT_DEBUG") == "1"
            try:
                page = answer_error(error, request, debug, stream, on_error=self.on_error)
                return _Answer(page, request, source, stream, self.on_error)
            except Exception as second:  # the HTTPError has a header that cannot be sent
                page = answer_error(second, request, debug, stream)
                return _Answer(page, request, source, stream, self.on_error)


class _Answer:
    """The answer for the server: status, fields and body, and everything to close afterwards.

    The first piece of the body is made immediately, so an error before it becomes an error page.
    """

    def __init__(
        self,
        response: Response,
        request: Request,
        source: "_Input",
        errors: "TextIO",
        on_error: "OnError | None",
    ) -> None:
        self._request, self._source, self._errors = request, source, errors
        self._on_error = on_error
        self._response = response
        self._closed = False
        try:
            self.status, self.fields, chunks = response.answer(request, local_redirects=False)
            response.mark_sent()
            if self.status == 205:
                # Without a length a server would send chunks; wsgiref.validate, which checks PEP 3333,
                # requires a type for every status but 204 and 304.
                self.fields += [("Content-Type", response.content_type), ("Content-Length", "0")]
            self._file = chunks if isinstance(chunks, FileBody) else None
            self._whole = isinstance(chunks, tuple)
            self._chunks, self._pieces = chunks, iter(chunks)
            self._first = b"" if self._file else next(self._pieces, b"")
        except BaseException:
            self._response.close()
            raise

    def may_be_short(self) -> bool:
        """Return whether the body may turn out to be shorter than the length announced."""
        return self._file is not None or isinstance(self._chunks, Announced)

    def body(self, wrapper: "Callable[[Any, int], Iterable[bytes]] | None") -> "Iterable[bytes]":
        """Return the iterable for the server, which has a `close` if there is something to close."""
        if self._whole:
            piece = self._first
            self._source.drain(self._request)
            self.close()
            return [piece] if piece else []
        if self._file is not None:
            self._source.drain(self._request)
        if self._file is not None and wrapper is not None:
            return wrapper(_SentFile(self._file, self), _FILE_CHUNK)
        return self

    def __iter__(self) -> "Iterator[bytes]":
        return self

    def __next__(self) -> bytes:
        first, self._first = self._first, b""
        try:
            return first or next(self._pieces)
        except StopIteration:
            self._source.drain(self._request)  # only now: making the pieces may read the body
            raise
        except (Exception, SystemExit) as error:
            if getattr(self._chunks, "left", 1):
                raise self.truncated(error) from None
            # The client has received the length announced.
            self._note(error)
            raise StopIteration from None

    def truncated(self, error: BaseException) -> Truncated:
        """Log why the body failed, and return the error to raise."""
        return Truncated(f"the answer broke off: incident {self._note(error)}")

    def _note(self, error: BaseException) -> str:
        return broke_off(error, self._request, self._errors, self._on_error)

    def close(self) -> None:
        """Close the body, the uploads and the input, once."""
        if self._closed:
            return
        self._closed = True
        self._first, self._pieces = b"", iter(())
        for close in (self._response.close, self._request.close, self._source.close):
            try:
                close()
            except (
                Exception
            ) as error:  # in the `finally` of a generator; the answer was sent already
                self._note(error)


class _SentFile:
    """A file for `wsgi.file_wrapper`, which can be read only as far as it is to be sent.

    A server that uses the descriptor might not notice that the file became shorter; it would send
    its next answer in place of the missing bytes. In that case closing the file raises `Truncated`.
    """

    def __init__(self, body: FileBody, answer: _Answer) -> None:
        self._file, self._answer, self._body = body.file, answer, body
        self._end = body.start + body.length
        self._taken = False
        self.tell = body.file.tell
        self.seekable = body.file.seekable
        self.seek(body.start)
        if body.start == 0 and body.length == body.size and time() - body.modified > _UNCHANGED:
            # Some servers send the whole file of a descriptor, even for a range.
            self.fileno = self._descriptor

    def _descriptor(self) -> int:
        self._taken = True
        return self._file.fileno()

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a position and return it. Raises `Truncated` if the end of the file has moved: waitress
        seeks the end to find the length, and would announce another one.
        """
        position = self._file.seek(offset, whence)
        if whence == SEEK_END and position - offset < self._end:
            raise self._answer.truncated(OSError(_SHORTER))
        return position

    def close(self) -> None:
        """Close the file. Raises `Truncated` if it changed while the server used its descriptor."""
        changed = self._taken and self._body.has_changed()
        self._taken = False
        try:
            if changed:
                raise self._answer.truncated(OSError("the file changed while it was sent"))
        finally:
            self._answer.close()

    def read(self, size: int = -1) -> bytes:
        """Return at most `size` bytes, but no more than are to be sent."""
        left = max(0, self._end - self.tell())
        data = self._file.read(left if size < 0 else min(size, left))
        if left and size and not data:
            raise self._answer.truncated(OSError(_SHORTER))
        return data


class _Input:
    """The input stream of the server. `BodyStream` reads no byte of it beyond the length."""

    def __init__(self, stream: "BinaryIO") -> None:
        self._stream = stream
        self._gathered: Upload | None = None
        self._taken = 0

    def read(self, size: int) -> bytes:
        """Return at most `size` bytes; raise `BadRequest` if the client has disconnected."""
        try:
            data = self._stream.read(size)
        except OSError as error:
            raise BadRequest("the body ended before its announced length; send it again") from error
        self._taken += len(data)
        return data

    def gather(self, variables: dict[str, str], most: int, directory: str | None) -> None:
        """Read a chunked body to its end and set its length, as a server does for a CGI script.

        At most one byte more than `most` is read: a handler that asks for a body over the limit gets
        `LimitExceeded`.
        """
        if variables.get("CONTENT_LENGTH") or not variables.get("HTTP_TRANSFER_ENCODING"):
            return
        gathered = self._gathered = Upload("body", directory=directory)
        while gathered.size <= most:
            data = self.read(min(_CHUNK, most + 1 - gathered.size))
            if not data:
                break
            gathered.write(data)
        self._stream, self._taken = gathered.file, 0
        variables["CONTENT_LENGTH"] = str(gathered.size)
        del variables["HTTP_TRANSFER_ENCODING"]

    def drain(self, request: Request) -> None:
        """Read and discard the rest of the body, so that the client can receive the answer.

        If a server closes a connection with unread bytes, the connection is reset, and the client may
        lose the answer. A client that sends everything before it reads would wait for ever. A client
        that waits for 100 Continue (RFC 9110 section 10.1.1) sends nothing, so nothing is read.
        """
        if not self._taken and request.headers.get("Expect"):
            return
        try:
            process.drain(self.read, request.content_length - self._taken)
        except BadRequest:
            return  # there is no valid length, or the client has disconnected

    def close(self) -> None:
        """Close the file of a gathered body."""
        if self._gathered is not None:
            self._gathered.close()


def meta_variables(environ: "WSGIEnvironment") -> dict[str, str]:
    """Return the meta-variables that a CGI script would find in its environment (RFC 3875 section 4.1).

    Values that are not text are left out, as are names with a dot, which belong to WSGI or the server,
    and HTTP_PROXY. WSGI represents bytes as ISO-8859-1 text; here they are decoded as in `os.environ`:
    as UTF-8, with surrogates for other bytes. HTTPS is "on" if the URL scheme is https.
    """
    variables = {
        name: value if value.isascii() else _native(value)
        for name, value in environ.items()
        if isinstance(value, str) and "." not in name and name != "HTTP_PROXY"
    }
    if environ.get("wsgi.url_scheme") == "https":
        variables.setdefault("HTTPS", "on")
    return variables


def _native(value: str) -> str:
    try:
        return value.encode("latin-1").decode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # it was decoded already, contrary to PEP 3333
        return value


def _check(values: "Iterable[str]") -> None:
    if any("\0" in value for value in values):
        raise BadRequest("the request contains NUL, which no meta-variable can; leave it out")
