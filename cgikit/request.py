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
    from io import BufferedReader
    from typing import BinaryIO

    from .body import BodyStream
    from .multidict import MultiDict, MultiMap
    from .upload import Upload


class Request(MetaVariables):
    """One CGI request. All meta-variables are attributes, by their names in lower case.

    `limits` bounds what is read (`Limits`). `errors` is what becomes of bytes in fields that are not
    UTF-8: "replace" by U+FFFD as browsers do, or "strict" to raise `BadRequest`. `upload_dir` is
    where uploads wait (TMPDIR without it): on the file system they are to be kept on, saving one is a
    rename. `progress(received, total)` is called while a multipart body is read, in bytes.

    Reading what is malformed raises `BadRequest` (400), what is too much `LimitExceeded` (413).
    """

    def __init__(
        self,
        environ: "Mapping[str, str] | None" = None,
        stdin: "BinaryIO | None" = None,
        *,
        limits: Limits = DEFAULT_LIMITS,
        errors: str = "replace",
        upload_dir: str | None = None,
        progress: "Callable[[int, int], object] | None" = None,
    ) -> None:
        if environ is None:
            from . import process

            environ = process.environ()
            self._own = True
        else:
            self._own = False
        super().__init__(environ)
        self.limits = limits
        self._stdin = stdin
        self._errors = errors
        self._upload_dir = upload_dir
        self._progress = progress
        self._query: MultiDict | None = None
        self._raw: BodyStream | None = None
        self._stream: BufferedReader | None = None
        self._body: bytes | None = None
        self._form: tuple[MultiDict, MultiMap[Upload]] | None = None
        self._cookies: MultiDict | None = None

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.script_name}{self.path_info}>"

    @property
    def query(self) -> "MultiDict":
        """The fields of the query string, and nothing else (`MultiDict`)."""
        if self._query is None:
            from .querystring import parse

            text = self.query_string
            if len(text) > self.limits.query:
                from .errors import LimitExceeded

                raise LimitExceeded("query", self.limits.query, len(text), status=414)
            self._query = parse(text, errors=self._errors, limits=self.limits)
        return self._query

    @property
    def keywords(self) -> list[str]:
        """The words of an ISINDEX query (`?word+word`, RFC 3875 section 4.4); [] for fields."""
        from .querystring import keywords

        return keywords(self.query_string)

    @property
    def form(self) -> "MultiDict":
        """The text fields of the body (`MultiDict`): urlencoded or multipart, never the query.

        Empty for GET and HEAD and without a body. A body of another type raises
        `UnsupportedMediaType`: it is not a form, and nothing of it shall be lost unseen.
        """
        return self._read_form()[0]

    @property
    def files(self) -> "MultiMap[Upload]":
        """The uploaded files of a multipart body (`Upload`); a file input left empty gives none."""
        return self._read_form()[1]

    @property
    def params(self) -> "MultiDict":
        """The fields of the form, then those of the query: the explicit merge (`MultiDict`)."""
        from .multidict import MultiDict

        return MultiDict(self.form.pairs() + self.query.pairs())

    @property
    def cookies(self) -> "MultiDict":
        """The cookies (`MultiDict`), in the order the client sent them."""
        if self._cookies is None:
            from .cookies import parse

            self._cookies = parse(self.environ.get("HTTP_COOKIE", ""), limits=self.limits)
        return self._cookies

    @property
    def stream(self) -> "BinaryIO":
        """The body as a binary file to read from, once: for bodies that do not fit into memory.

        Ends after CONTENT_LENGTH bytes; raises `BadRequest` if fewer come.
        """
        if self._stream is None:
            import io

            self._take("stream")
            self._stream = io.BufferedReader(self._open(), 65_536)
        return self._stream

    @property
    def body(self) -> bytes:
        """The whole body (bytes), up to `limits.memory`; for any method and type."""
        if self._body is None:
            from .body import read_whole

            raw = self._open()
            self._take("body")
            self._body = read_whole(raw, self.limits)
        return self._body

    def text(self) -> str:
        """Return the body decoded by its charset, UTF-8 without one (str)."""
        from .body import decode_text

        return decode_text(self.body, self.content_type)

    def json(self) -> object:
        """Return the body decoded as JSON (RFC 8259).

        Raises `UnsupportedMediaType` if the Content-Type names something else than JSON: a form
        posted by another site must not pass for it.
        """
        from .body import decode_json

        kind = self._media_type()
        if kind and kind != "application/json" and not kind.endswith("+json"):
            raise self._unsupported(f"the body is {kind[:100]!r}, not JSON")
        return decode_json(self.body, self.limits)

    def close(self) -> None:
        """Close the uploads; those not saved are gone. Called at the end by `run`."""
        if self._form is not None:
            for _, upload in self._form[1].pairs():
                upload.close()

    def _media_type(self) -> str:
        return self.content_type.partition(";")[0].strip().lower()

    def _open(self) -> "BodyStream":
        """Return the body, its length checked, nothing read."""
        if self._raw is None:
            from .body import open_body

            if self._stdin is None:
                import io

                from . import process

                self._stdin = process.stdin() if self._own else io.BytesIO()
            self._raw = open_body(self, self._stdin, self.limits)
        return self._raw

    def _take(self, attribute: str) -> None:
        """Make sure that the body, which can be read once, was not read in another way."""
        if self._stream is not None or (self._raw is not None and self._raw.received):
            from .errors import StateError

            raise StateError(
                f"request.{attribute}: the body was read already, as "
                f"{'.stream' if self._stream is not None else 'a multipart .form'}"
            )

    def _read_form(self) -> "tuple[MultiDict, MultiMap[Upload]]":
        if self._form is None:
            from .multidict import MultiDict, MultiMap

            chunked = self.environ.get("HTTP_TRANSFER_ENCODING")
            if self.method in {"GET", "HEAD"} or (self.content_length == 0 and not chunked):
                return MultiDict(), MultiMap()
            kind = self._media_type()
            raw = self._open()
            if kind == "multipart/form-data":
                from .body import read_form

                self._take("form")
                self._form = read_form(
                    raw,
                    self.content_type,
                    limits=self.limits,
                    errors=self._errors,
                    upload_dir=self._upload_dir,
                    progress=self._progress,
                )
            elif kind == "application/x-www-form-urlencoded":
                from .querystring import parse

                fields = parse(self.body, errors=self._errors, limits=self.limits)
                self._form = fields, MultiMap()
            else:
                raise self._unsupported(
                    f"the body is {kind[:100] or 'of no stated type'!r}, not a form; use .json(), "
                    ".text(), .body or .stream for it, and .query for the query string"
                )
        return self._form

    def _unsupported(self, message: str) -> Exception:
        from .errors import UnsupportedMediaType

        return UnsupportedMediaType(message, self.content_type)
