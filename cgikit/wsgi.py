"""A handler as a WSGI application (PEP 3333): the same function under any WSGI server.

What `script.run` is for a process with one request, `WSGI` is for a server that calls many times, from
many threads. Here a WSGI environment becomes the meta-variables that a CGI script would find, the
server's input the body, and a `Response` what a server iterates over. What a request means is decided
in `request.py`, what may be sent in `response.py`, errors become pages in `debug.py`.
"""

from io import SEEK_END
from time import time

from . import process
from .debug import answer_error, log, new_incident
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
    from typing import Any, BinaryIO, TextIO
    from wsgiref.types import StartResponse, WSGIEnvironment

    from .sessions.store import Store

_CHUNK = 131_072
_SENT_AT_ONCE = 262_144
_SHORTER = "the file became shorter while it was sent"
_SETTLED = 60  # seconds: a file that grows, as a log does, would seem to have been cut at the end


class Truncated(Exception):
    """The body failed after its beginning was sent: the server must cut the connection, so that the
    client does not take the part for the whole. Why is in the log already, under this incident.
    """


class WSGI:
    """A WSGI application that answers each request with what `handler(request)` returns.

    `handler` and all options are those of `run`, and so are sessions, error pages, incident numbers
    and log lines, which go to `wsgi.errors`. CGIKIT_DEBUG is read from the server's environment. An
    application keeps nothing between requests: a server may call it from any number of threads, if
    the handler allows it.

    A chunked body is gathered first where the server says that it ends (`wsgi.input_terminated`);
    where it does not, asking for it raises `LengthRequired` (411). A local redirect (RFC 3875 section
    6.2.2) goes to the client, as `Response.redirect` would: WSGI has no word for it.
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
    ) -> None:
        if charset != "utf-8":
            from .charsets import of_page

            of_page(charset)  # a mistake in it is told now, and not by every request
        self.handler = handler
        self.sessions = sessions
        self.limits = limits or DEFAULT_LIMITS
        self.debug = debug
        self.errors = errors
        self.charset = charset
        self.upload_dir = upload_dir
        self.progress = progress

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
                # It ends what broke off as if it were whole, and httpd would go on with the next answer
                # in the middle of this one. Only httpd takes this field from an application.
                answer.fields.append(("Connection", "close"))
            start_response(f"{answer.status} {reason}", answer.fields)
            return answer.body(environ.get("wsgi.file_wrapper"))
        except BaseException:  # the server closes only what it was given
            answer.close()
            raise

    def _answer(
        self,
        request: Request,
        source: "_Input",
        variables: dict[str, str],
        environ: "WSGIEnvironment",
    ) -> "_Answer":
        """Call the handler; return its answer, or the page for what went wrong, ready to be sent."""
        stream: TextIO = environ["wsgi.errors"]
        own = process.pid()
        try:
            _check(request.environ.values())
            source.gather(variables, self.limits.body, self.upload_dir)
            return _Answer(respond(self.handler, request), request, source, stream)
        except (Exception, SystemExit) as error:  # which would end the server, or a thread of it
            if process.pid() != own:  # the handler forked: only the server's process has an answer
                process.end(error)
            debug = self.debug
            if debug is None:
                debug = process.environ().get("CGIKIT_DEBUG") == "1"
            try:
                page = answer_error(error, request, debug, stream)
                return _Answer(page, request, source, stream)
            except Exception as second:  # a header of an HTTPError's cannot be sent
                page = answer_error(second, request, debug, stream)
                return _Answer(page, request, source, stream)


class _Answer:
    """What goes back to the server: status, fields and body, and all that is to be closed after it.

    The first piece of a body is made at once: what fails before there is one becomes an error page.
    """

    def __init__(
        self, response: Response, request: Request, source: "_Input", errors: "TextIO"
    ) -> None:
        self._request, self._source, self._errors = request, source, errors
        self._response = response
        self._closed = False
        try:
            self.status, self.fields, chunks = response.answer(request, local_redirects=False)
            response.mark_sent()
            if self.status == 205:
                # Without a length a server would send chunks; the type is what PEP 3333's checker
                # asks of all but 204 and 304.
                self.fields += [("Content-Type", response.content_type), ("Content-Length", "0")]
            self._file = chunks if isinstance(chunks, FileBody) else None
            self._whole = isinstance(chunks, tuple)
            self._chunks, self._pieces = chunks, iter(chunks)
            self._first = b"" if self._file else next(self._pieces, b"")
        except BaseException:
            self._response.close()
            raise

    def may_be_short(self) -> bool:
        """Whether a length is announced that the body may turn out not to have."""
        return self._file is not None or isinstance(self._chunks, Announced)

    def body(self, wrapper: "Callable[[Any, int], Iterable[bytes]] | None") -> "Iterable[bytes]":
        """Return what the server iterates over, and closes where there is something to close."""
        if self._whole:
            piece = self._first
            self._source.drain(self._request)
            self.close()
            return [piece] if piece else []
        if self._file is not None:
            self._source.drain(self._request)
        if self._file is not None and wrapper is not None:
            return wrapper(_SentFile(self._file, self), _SENT_AT_ONCE)
        return self

    def __iter__(self) -> "Iterator[bytes]":
        return self

    def __next__(self) -> bytes:
        first, self._first = self._first, b""
        try:
            return first or next(self._pieces)
        except StopIteration:
            self._source.drain(self._request)  # not before: making the pieces may read the body
            raise
        except (Exception, SystemExit) as error:
            if getattr(self._chunks, "left", 1):
                raise self.truncated(error) from None
            # The client has all that was announced.
            log(error, new_incident(), self._errors, self._request)
            raise StopIteration from None

    def truncated(self, error: BaseException) -> Truncated:
        """Log why the body fails, and return what to raise."""
        incident = new_incident()
        log(error, incident, self._errors, self._request)
        return Truncated(f"the answer broke off: incident {incident}")

    def close(self) -> None:
        """Close the body, the uploads and what was gathered, once."""
        if self._closed:
            return
        self._closed = True
        self._first, self._pieces = b"", iter(())
        for close in (self._response.close, self._request.close, self._source.close):
            try:
                close()
            except Exception as error:  # a generator's `finally`, say: the answer went out already
                log(error, new_incident(), self._errors, self._request)


class _SentFile:
    """A file as `wsgi.file_wrapper` takes it: readable as far as it is to be sent.

    A server that takes the descriptor instead may not see that the file became shorter meanwhile, and
    would put its next answer into what is missing of this one. It is told when it closes the file.
    """

    def __init__(self, body: FileBody, answer: _Answer) -> None:
        self._file, self._answer, self._body = body.file, answer, body
        self._end = body.start + body.length
        self._taken = False
        self.tell = body.file.tell
        self.seekable = body.file.seekable
        self.seek(body.start)
        if body.start == 0 and body.length == body.size and time() - body.modified > _SETTLED:
            # Some servers send a descriptor from its beginning to its end, whatever was asked for.
            self.fileno = self._descriptor

    def _descriptor(self) -> int:
        self._taken = True
        return self._file.fileno()

    def seek(self, offset: int, whence: int = 0) -> int:
        """Go to a position, and return it. Raises `Truncated` if the end is no longer where it was:
        waitress looks for it there, and would announce another length.
        """
        position = self._file.seek(offset, whence)
        if whence == SEEK_END and position - offset < self._end:
            raise self._answer.truncated(OSError(_SHORTER))
        return position

    def close(self) -> None:
        """Close the file. Raises `Truncated` if it changed while its descriptor was with the server."""
        changed = self._taken and self._body.has_changed()
        self._taken = False
        try:
            if changed:
                raise self._answer.truncated(OSError("the file changed while it was sent"))
        finally:
            self._answer.close()

    def read(self, size: int = -1) -> bytes:
        """Read at most `size` bytes, and never more than is to be sent."""
        left = max(0, self._end - self.tell())
        data = self._file.read(left if size < 0 else min(size, left))
        if left and size and not data:
            raise self._answer.truncated(OSError(_SHORTER))
        return data


class _Input:
    """The server's stream. `BodyStream` asks it for no byte beyond the length."""

    def __init__(self, stream: "BinaryIO") -> None:
        self._stream = stream
        self._gathered: Upload | None = None
        self._taken = 0

    def read(self, size: int) -> bytes:
        """Read at most `size` bytes; a client that left raises `BadRequest`."""
        try:
            data = self._stream.read(size)
        except OSError as error:
            raise BadRequest("the body broke off before its end") from error
        self._taken += len(data)
        return data

    def gather(self, variables: dict[str, str], most: int, directory: str | None) -> None:
        """Read a chunked body to its end and note its length, as a server does for a CGI script.

        No more than one byte over the limit is kept: the handler that asks for such a body gets
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
        """Read and drop what is left of the body, where leaving it there would cut the answer.

        A server that closes a connection with bytes unread resets it; and a client that sends all
        before it reads would wait for us while we wait for it. One that waits to be asked for the
        body (RFC 9110 section 10.1.1) is not asked.
        """
        if not self._taken and request.headers.get("Expect"):
            return
        try:
            process.drain(self.read, request.content_length - self._taken)
        except BadRequest:
            return  # no length, or nobody there

    def close(self) -> None:
        """Let go of what was gathered."""
        if self._gathered is not None:
            self._gathered.close()


def meta_variables(environ: "WSGIEnvironment") -> dict[str, str]:
    """Return the meta-variables that a CGI script would find in its environment (RFC 3875 section 4.1).

    Only text is taken, and nothing of WSGI's or the server's own (names with a dot), nor HTTP_PROXY.
    WSGI shows bytes as ISO-8859-1 text; here they are what they are in `os.environ`: UTF-8, with
    surrogates for what is none. HTTPS is "on" if the server says that the scheme is https.
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
    except UnicodeEncodeError:  # against PEP 3333: it was decoded already
        return value


def _check(values: "Iterable[str]") -> None:
    if any("\0" in value for value in values):
        raise BadRequest("the request holds NUL, which no environment can")
