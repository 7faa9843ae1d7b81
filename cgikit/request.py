"""Requests: everything that a script can ask about one, read when it is asked for.

`Request()` is the request of this process; `Request(environ, stdin)` touches no state of the process.
This module only brings together `environ`, `querystring`, `body`, `multipart` and `cookies`, which
decide what each part means. Whatever a script does not use is neither read nor imported.
"""

from .environ import MetaVariables
from .limits import DEFAULT_LIMITS, Limits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import BinaryIO

    from .authorization import Authorization
    from .body import Body
    from .cookies import Cookies
    from .multidict import MultiDict, MultiMap
    from .response import Response
    from .sessions.session import Session
    from .sessions.store import Store
    from .upload import Upload


class Request(MetaVariables):
    """One CGI request. Every meta-variable is an attribute with its name in lower case.

    `limits` (`Limits`) bounds what is read. `errors` is for bytes in fields that are not UTF-8:
    "replace" turns them into U+FFFD, as browsers do, "strict" raises `BadRequest`. `charset` is the
    charset of the pages with the forms, if it is not UTF-8 (`ValueError` for an unknown one). Uploads
    are stored in `upload_dir` (default: TMPDIR) until they are saved; on the file system where they are
    to be kept, saving is a rename. `progress(received, total)` is called while a multipart body is
    read, with numbers of bytes; `on_upload(upload, data)` with each piece of a file, before it is
    stored, and with b"" at the end of the file. `sessions` is the store of `session`.

    Malformed parts raise `BadRequest` (400) when they are read, oversized ones `LimitExceeded` (413).
    """

    def __init__(
        self,
        environ: "Mapping[str, str] | None" = None,
        stdin: "BinaryIO | None" = None,
        *,
        limits: Limits = DEFAULT_LIMITS,
        errors: str = "replace",
        charset: str = "utf-8",
        upload_dir: str | None = None,
        progress: "Callable[[int, int], object] | None" = None,
        on_upload: "Callable[[Upload, bytes], object] | None" = None,
        sessions: "Store | None" = None,
    ) -> None:
        own = environ is None
        if environ is None:
            from . import process

            environ = process.environ()
            process.start_directory()  # recorded before the script can change it
        super().__init__(environ)
        self.limits = limits
        self._errors = errors
        if charset != "utf-8":
            from .charsets import of_page

            charset = of_page(charset)
        self._codec = charset
        # What the body will be read from, and how
        self._source = (own, stdin, upload_dir, progress, on_upload)
        self._sizes: dict[str, int] = {}
        self._query: MultiDict | None = None
        self._loaded: MultiDict | None = None
        self._cookies: Cookies | None = None
        self._content: Body | None = None
        self._sessions = sessions
        self._session: Session | None = None
        self._answered = False
        #: The handler that answers this request; None until `run` or `WSGI` calls it. The log names it
        #: if the answer fails after the handler has returned.
        self.handler: object = None

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.script_name}{self.path_info}>"

    @property
    def query(self) -> "MultiDict":
        """The fields of the query string only (`MultiDict`)."""
        if self._query is None:
            from . import querystring

            self._check_query()
            self._query = querystring.parse(
                self.query_string, errors=self._errors, limits=self.limits, codec=self._codec
            )
        return self._query

    @property
    def keywords(self) -> list[str]:
        """The words of an ISINDEX query (`?word+word`, RFC 3875 section 4.4); [] if it has fields."""
        from .querystring import keywords

        self._check_query()
        return keywords(self.query_string)

    @property
    def cookies(self) -> "Cookies":
        """The cookies in the order in which the client sent them (`Cookies`, a `MultiDict`)."""
        if self._cookies is None:
            from . import cookies

            self._cookies = cookies.parse(self.environ.get("HTTP_COOKIE", ""), limits=self.limits)
        return self._cookies

    @property
    def last_event_id(self) -> str:
        """The id of the last event that the client has seen (str), if it connects to
        `Response.events` again; "" if there is none. `BadRequest` for one that is not valid.
        """
        from .events import last_event_id

        return last_event_id(self.environ.get("HTTP_LAST_EVENT_ID", ""))

    @property
    def has_sessions(self) -> bool:
        """Whether the request has a store of sessions, so that `session` can be used."""
        return self._sessions is not None

    @property
    def authorization(self) -> "Authorization | None":
        """The credentials of the request, not checked yet (`Authorization`); None without.

        Malformed ones raise `BadRequest`. Most servers have to be told to pass the field to scripts
        (docs/reference/authorization.md). Apache's redirects give its variable the prefix REDIRECT_.
        """
        value = self.environ.get("HTTP_AUTHORIZATION") or self.environ.get(
            "REDIRECT_HTTP_AUTHORIZATION"
        )
        if not value:
            return None
        from .authorization import parse

        return parse(value)

    @property
    def session(self) -> "Session":
        """The visitor's session (`Session`). `StateError` if neither `run` nor `Request` got a store.

        It is read-only after the handler has returned.
        """
        if self._session is None:
            if self._sessions is None:
                from .errors import StateError

                raise StateError(
                    "this request has no session store; give one, as in "
                    'run(handler, sessions=FileStore("data/sessions"))'
                )
            from . import Session

            self._session = Session(self._sessions, self)
            if self._answered:
                self._session.close()
        return self._session

    @property
    def form(self) -> "MultiDict":
        """The text fields of the body, urlencoded or multipart, without those of the query
        (`MultiDict`).

        Empty for GET and HEAD, and without a body. A body of another type is not a form and raises
        `UnsupportedMediaType`, so that its content is not silently lost.
        """
        return self._open().form()[0] if self._loaded is None else self._loaded

    @property
    def files(self) -> "MultiMap[Upload]":
        """The uploaded files of a multipart body (`Upload`); an empty file input has none."""
        return self._open().form()[1]

    @property
    def params(self) -> "MultiDict":
        """The fields of the form, followed by those of the query (`MultiDict`)."""
        if self.method in {"GET", "HEAD"}:
            return self.query
        from . import MultiDict

        return MultiDict(self.form.pairs() + self.query.pairs())

    @property
    def stream(self) -> "BinaryIO":
        """The body as a binary file, which can be read once: for bodies that do not fit into memory.

        It ends after CONTENT_LENGTH bytes, and raises `BadRequest` if the client sends fewer.
        """
        return self._open().stream()

    @property
    def body(self) -> bytes:
        """The whole body (bytes) of any method and type, up to `limits.memory`."""
        return self._open().whole()

    def text(self) -> str:
        """Return the body decoded by its charset, by default UTF-8 (str)."""
        return self._open().text()

    def json(self) -> object:
        """Return the body decoded as JSON (RFC 8259).

        Raises `UnsupportedMediaType` if the Content-Type is not that of JSON: a form that another site
        has posted must not be accepted as JSON.
        """
        return self._open().json()

    def limit(self, field: str, size: int) -> None:
        """Allow the values of a form's field, or each file in it, `size` bytes at most; more raise
        `LimitExceeded` (413). The limits of the request hold as well.

        Call this before the form is read; `StateError` afterwards. `ValueError` for a negative size.
        """
        if self._content is not None:
            from .errors import StateError

            raise StateError("request.limit: the body was read already; set limits before that")
        if not isinstance(size, int) or isinstance(size, bool) or size < 0:
            raise ValueError(f"limit({field!r}, …) needs an int of 0 or more, not {size!r}")
        self._sizes[field] = size

    def accepts(self, offered: "Iterable[str]") -> str | None:
        """Return the media type of `offered` that the client prefers (Accept), or None if it accepts
        none of them; see `accept.types`. Say `response.vary("Accept")` in the answer.
        """
        from .accept import types

        return types(self.environ.get("HTTP_ACCEPT", ""), offered)

    def accepts_language(self, offered: "Iterable[str]") -> str | None:
        """Return the language tag of `offered` that the client prefers, or None (Accept-Language); see
        `accept.languages`.
        """
        from .accept import languages

        return languages(self.environ.get("HTTP_ACCEPT_LANGUAGE", ""), offered)

    def accepts_charset(self, offered: "Iterable[str]") -> str | None:
        """Return the charset of `offered` that the client prefers, or None (Accept-Charset); see
        `accept.charsets`.
        """
        from .accept import charsets

        return charsets(self.environ.get("HTTP_ACCEPT_CHARSET", ""), offered)

    def accepts_encoding(self, offered: "Iterable[str]") -> str | None:
        """Return the content coding of `offered`, such as "gzip" or "identity", that the client
        prefers, or None (Accept-Encoding); see `accept.encodings`.
        """
        from .accept import encodings

        return encodings(self.environ.get("HTTP_ACCEPT_ENCODING", ""), offered)

    def save(self, file: "BinaryIO") -> None:
        """Write all fields (`params`) as one record in CGI.pm's format at the position of a binary
        file. `Request.load` and CGI.pm's `new(FILEHANDLE)` read it. Uploads are not written.

        The record is written in one piece and flushed. If that fails, nothing of it stays in the file.
        Hold a `lock` if several processes write to the file.

        Raises `LimitExceeded`, before anything is written, for what `load` would refuse with the limits
        of this request, `StorageError` if the file ends inside a record (as far as it is open for
        reading too), `TypeError` for a file that is open for text, and `UnsupportedMediaType` for a
        body that is not a form.
        """
        from . import savedfields

        savedfields.check_writable(file)
        words = self.keywords if self.method in {"GET", "HEAD"} else []
        if words and "&" not in self.query_string:
            record = savedfields.record_of_words(words)
        else:
            record = savedfields.record(self.params.pairs())
        savedfields.check_size(record, self.limits)
        savedfields.append(file, record)

    @classmethod
    def load(
        cls,
        file: "BinaryIO",
        *,
        limits: Limits = DEFAULT_LIMITS,
        errors: str = "replace",
        charset: str = "utf-8",
    ) -> "Request | None":
        """Return a request with the fields of the next record that `save` or CGI.pm has written to a
        binary file; None at the end of the file.

        A record does not say where a field came from, so `params`, `query` and `form` all have all
        fields, in a request that is otherwise an empty GET. A file that ends inside a record raises
        `StorageError`, a record over `limits.fields` or `limits.memory` `LimitExceeded`; the next call
        then returns the next record.
        """
        from .savedfields import read

        request = cls({"REQUEST_METHOD": "GET"}, limits=limits, errors=errors, charset=charset)
        found = read(file, limits, errors, request._codec)
        if found is None:
            return None
        request.environ = {**request.environ, "QUERY_STRING": found[0]}
        request._query = request._loaded = found[1]
        return request

    def inspect(self, *, values: bool = False) -> str:
        """Return what came with this request as a piece of HTML (str) to put into a page while you
        develop: method, URL, query, form, files, cookies, session and environment, all escaped.

        It shows names. `values` adds the values of the query and of the form, and the names of files.
        Values of cookies and of the session are never shown, those of the environment as in debug mode.
        It reads the form and opens the session; what cannot be read is shown as an error.
        """
        from .inspection import markup

        session = None if self._sessions is None else lambda: sorted(self.session)
        return markup(self, session, values)

    def names_read(self) -> tuple[list[str], list[str]]:
        """Return the names of the fields and of the files of the form, as far as it was read. It reads
        nothing. The debug page calls this.
        """
        return ([], []) if self._content is None else self._content.names()

    def fields_read(self) -> list[tuple[str, str]]:
        """Return the names and values of the fields of the form, as far as it was read. It reads
        nothing. The debug page calls this, to hide some of them.
        """
        found = [] if self._content is None else self._content.fields()
        return found if self._loaded is None else [*self._loaded.pairs()]

    def save_session(self, response: "Response | None" = None) -> None:
        """Save the session, if it was used, and set its cookie in the response. `run` calls this."""
        self._answered = True
        if self._session is not None:
            self._session.save(response)

    def mark(self, page: "Response") -> None:
        """Set the cookie of a session that was saved in the page that replaces the handler's response.
        `run` calls this.
        """
        if self._session is not None:
            self._session.mark(page)

    def drop_session(self) -> None:
        """Release the session without saving it. `run` calls this if the handler fails."""
        self._answered = True
        if self._session is not None:
            self._session.abandon()

    def close(self) -> None:
        """Close the uploads, which deletes those that were not saved. `run` calls this at the end.

        Raises `StateError` if a value in the session was changed after it was saved.
        """
        if self._content is not None:
            self._content.close()
        if self._session is not None:
            self._session.end()

    def _check_query(self) -> None:
        seen = len(self.query_string)
        if seen > self.limits.query and self._loaded is None:
            from .errors import LimitExceeded

            raise LimitExceeded("query", self.limits.query, seen, status=414)

    def _open(self) -> "Body":
        if self._content is None:
            from . import body

            own, stdin, upload_dir, progress, on_upload = self._source
            if stdin is None and own:
                from . import process

                stdin = process.stdin()
            self._content = body.Body(
                self,
                stdin,
                self.limits,
                self._errors,
                upload_dir,
                progress,
                self._codec,
                on_upload,
                self._sizes,
            )
        return self._content
