"""The request: everything a script can ask about what came in, read when it is asked for.

`Request()` is this process's own; `Request(environ, stdin)` touches no process state. What each part
means is decided in the modules of `environ`, `querystring`, `body`, `multipart` and `cookies`; here
they are only brought together, lazily: what a script does not touch is neither read nor imported.
"""

from .environ import MetaVariables
from .limits import DEFAULT_LIMITS, Limits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import BinaryIO

    from .body import Body
    from .multidict import MultiDict, MultiMap
    from .response import Response
    from .sessions.session import Session
    from .sessions.store import Store
    from .upload import Upload


class Request(MetaVariables):
    """One CGI request. All meta-variables are attributes, by their names in lower case.

    `limits` bounds what is read (`Limits`). `errors` is what becomes of bytes in fields that are not
    UTF-8: "replace" by U+FFFD as browsers do, or "strict" to raise `BadRequest`. `charset` is that of
    the pages that forms are on, if it is not UTF-8 (`ValueError` for an unknown one). `upload_dir` is
    where uploads wait (TMPDIR without it): on the file system they are to be kept on, saving one is a
    rename. `progress(received, total)` is called while a multipart body is read, in bytes. `sessions`
    is the store of `session`.

    Reading what is malformed raises `BadRequest` (400), what is too much `LimitExceeded` (413).
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
        sessions: "Store | None" = None,
    ) -> None:
        own = environ is None
        if environ is None:
            from . import process

            environ = process.environ()
            process.start_directory()  # before the script can leave it
        super().__init__(environ)
        self.limits = limits
        self._errors = errors
        if charset != "utf-8":
            from .charsets import of_page

            charset = of_page(charset)
        self._codec = charset
        self._source = (
            own,
            stdin,
            upload_dir,
            progress,
        )  # what the body will be read from, and how
        self._query: MultiDict | None = None
        self._cookies: MultiDict | None = None
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
        """The fields of the query string, and nothing else (`MultiDict`)."""
        if self._query is None:
            from .querystring import parse

            self._check_query()
            self._query = parse(
                self.query_string, errors=self._errors, limits=self.limits, codec=self._codec
            )
        return self._query

    @property
    def keywords(self) -> list[str]:
        """The words of an ISINDEX query (`?word+word`, RFC 3875 section 4.4); [] for fields."""
        from .querystring import keywords

        self._check_query()
        return keywords(self.query_string)

    @property
    def cookies(self) -> "MultiDict":
        """The cookies (`MultiDict`), in the order the client sent them."""
        if self._cookies is None:
            from .cookies import parse

            self._cookies = parse(self.environ.get("HTTP_COOKIE", ""), limits=self.limits)
        return self._cookies

    @property
    def session(self) -> "Session":
        """The visitor's session (`Session`). `StateError` if no store was given to `run` or `Request`.

        Once the answer is made it can only be read.
        """
        if self._session is None:
            if self._sessions is None:
                from .errors import StateError

                raise StateError(
                    "no sessions here: say where to keep them, as in "
                    'run(handler, sessions=FileStore("data/sessions"))'
                )
            from .sessions.session import Session

            self._session = Session(self._sessions, self)
            if self._answered:
                self._session.close()
        return self._session

    @property
    def form(self) -> "MultiDict":
        """The text fields of the body (`MultiDict`): urlencoded or multipart, never the query.

        Empty for GET and HEAD and without a body. A body of another type raises
        `UnsupportedMediaType`: it is not a form, and nothing of it shall be lost unseen.
        """
        return self._open().form()[0]

    @property
    def files(self) -> "MultiMap[Upload]":
        """The uploaded files of a multipart body (`Upload`); a file input left empty gives none."""
        return self._open().form()[1]

    @property
    def params(self) -> "MultiDict":
        """The fields of the form, then those of the query: the explicit merge (`MultiDict`)."""
        if self.method in {"GET", "HEAD"}:
            return self.query
        from .multidict import MultiDict

        return MultiDict(self.form.pairs() + self.query.pairs())

    @property
    def stream(self) -> "BinaryIO":
        """The body as a binary file to read from, once: for bodies that do not fit into memory.

        Ends after CONTENT_LENGTH bytes; raises `BadRequest` if fewer come.
        """
        return self._open().stream()

    @property
    def body(self) -> bytes:
        """The whole body (bytes), up to `limits.memory`; for any method and type."""
        return self._open().whole()

    def text(self) -> str:
        """Return the body decoded by its charset, UTF-8 without one (str)."""
        return self._open().text()

    def json(self) -> object:
        """Return the body decoded as JSON (RFC 8259).

        Raises `UnsupportedMediaType` if the Content-Type names something else than JSON: a form
        posted by another site must not pass for it.
        """
        return self._open().json()

    def save_session(self, response: "Response | None" = None) -> None:
        """Save the session, if it was used, and set its cookie in the response. Called by `run`."""
        self._answered = True
        if self._session is not None:
            self._session.save(response)

    def mark(self, page: "Response") -> None:
        """Set the cookie of what was saved, if anything was, in a page that goes out in place of the
        handler's answer. Called by `run`.
        """
        if self._session is not None:
            self._session.mark(page)

    def drop_session(self) -> None:
        """Let go of the session without saving it. Called by `run` where the handler failed."""
        self._answered = True
        if self._session is not None:
            self._session.abandon()

    def close(self) -> None:
        """Close the uploads; those not saved are gone. Called at the end by `run`.

        Raises `StateError` if a value of the session was changed after it was saved.
        """
        if self._content is not None:
            self._content.close()
        if self._session is not None:
            self._session.end()

    def _check_query(self) -> None:
        seen = len(self.query_string)
        if seen > self.limits.query:
            from .errors import LimitExceeded

            raise LimitExceeded("query", self.limits.query, seen, status=414)

    def _open(self) -> "Body":
        if self._content is None:
            from .body import Body

            own, stdin, upload_dir, progress = self._source
            if stdin is None and own:
                from . import process

                stdin = process.stdin()
            self._content = Body(
                self, stdin, self.limits, self._errors, upload_dir, progress, self._codec
            )
        return self._content
