"""The exceptions of cgikit: what went wrong, the HTTP status for it, and the evidence.

Whatever is wrong with a *request* is a `CGIError` and has `.status`, the HTTP status of the answer (RFC
9110 section 15). An error of the *programmer* is never one: it is a `TypeError`, `ValueError` or
`StateError`. Nothing is parsed or rendered here; error pages are made in `debug.py`.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Protocol

    class Fields(Protocol):
        """The text fields of a form, as `multidict.MultiDict` has them."""

        def getlist(self, name: str) -> list[str]:
            """All values of a field."""


class CGIError(Exception):
    """Base of all errors that a request or its surroundings can cause.

    `.status` is the HTTP status code (int); `.headers` are (name, value) pairs that the answer must
    have, such as `Allow` with 405. The message is meant for the client: it never contains secrets.
    """

    status = 500
    headers: tuple[tuple[str, str], ...] = ()
    keeps_session = False  # whether the handler's changes to the session are saved nevertheless

    @property
    def message(self) -> str:
        """The message for the client (str)."""
        return str(self)

    def __reduce__(self) -> "tuple[object, ...]":
        # By default, pickle calls the class with the message alone, which most classes here do not
        # accept: an error that a worker process sends back would be lost.
        return _again, (type(self), self.args, self.__dict__)


def _again(kind: type[CGIError], args: tuple[object, ...], state: dict[str, object]) -> CGIError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class BadRequest(CGIError, ValueError):
    """The request is malformed: a wrong length, a body that is not valid (400)."""

    status = 400


class InvalidField(BadRequest):
    """A form field is missing or cannot be converted (400). `.field` is its name, `.value` what came
    (None if nothing was), `.reason` what was expected, `.sent` all fields among which it was looked for
    (`MultiDict`; None for an error that a script has made), so that the form can be shown again.
    """

    def __init__(
        self, field: str, value: str | None, reason: str, sent: "Fields | None" = None
    ) -> None:
        super().__init__(f"field {field[:100]!r} {reason}")
        self.field = field
        self.value = value
        self.reason = reason
        self.sent = sent


class MissingField(InvalidField, KeyError):
    """`fields[name]` for a field that was not sent (400): a `KeyError` too, as from every mapping."""

    def __init__(self, field: str, sent: "Fields | None" = None) -> None:
        super().__init__(field, None, "is missing", sent)

    # KeyError would show the repr of the message.
    __str__ = Exception.__str__


class LimitExceeded(BadRequest):
    """The request is larger than a limit allows (413; 414 for the URL, 431 for the header).

    `.limit` is the limit's name in `Limits`, `.allowed` its value, `.seen` what the request has. If
    reading stopped at the limit, `.seen` is the least that it can have. `.field` is the name of
    the form's field if the limit is that field's own (`Request.limit`), otherwise None.
    """

    status = 413

    def __init__(
        self, limit: str, allowed: int, seen: int, status: int = 413, field: str | None = None
    ) -> None:
        found = f"the request exceeds the limit {limit}={allowed}"
        if field is not None:
            found += f" of the field {field[:100]!r}"
        super().__init__(f"{found}: it has {seen} or more")
        self.field = field
        self.limit = limit
        self.allowed = allowed
        self.seen = seen
        self.status = status

    @property
    def message(self) -> str:
        """The message for the client: in words, with the limit where it helps (str)."""
        if self.limit == "files" and not self.allowed:
            return "This page accepts no files."
        words = _TOO_LARGE.get(self.limit, "This request is larger than this site allows.")
        if self.limit in ("body", "memory", "field", "file"):
            return words.format(size_in_words(self.allowed))
        return words.format(f"{self.allowed:,}")


# What visitors are told about each of `Limits`; the log has its name and numbers (`str(error)`).
_TOO_LARGE = {
    "query": "The address of this page is too long.",
    "fields": "This form has too many fields (limit {}).",
    "cookies": "Your browser has too many cookies for this site (limit {}). Delete some of them.",
    "body": "What you sent is too large (limit {}).",
    "memory": "What you sent is too large (limit {}).",
    "field": "A field of this form is too long (limit {}).",
    "file": "The file is too large (limit {}).",
    "files": "You sent too many files at once (limit {}).",
    "part_headers": "A part of the form has too many header fields (limit {}).",
    "part_header": "A header field in the form is too long.",
    "boundary": "The boundary between the parts of the form is too long.",
    "json_values": "The JSON you sent has too many values (limit {}).",
    "json_depth": "The JSON you sent is nested too deeply (limit {}).",
}


def size_in_words(count: int) -> str:
    """Return a number of bytes for people to read, rounded down: 1.9 MB."""
    for unit, name in ((1 << 30, "GB"), (1 << 20, "MB"), (1 << 10, "KB")):
        if count >= unit:
            return f"{count * 10 // unit / 10:g} {name}"
    return f"{count} byte{'s' * (count != 1)}"


def reason_of(error: OSError) -> str:
    """Return what the system says of an error, as a part of a sentence: no such file or directory."""
    reason = str(error.strerror or type(error).__name__)
    return f"{reason[:1].lower()}{reason[1:]}"


class UnsupportedMediaType(CGIError):
    """The body has a type that was not expected (415). `.content_type` is that type."""

    status = 415

    def __init__(self, message: str, content_type: str = "") -> None:
        super().__init__(message)
        self.content_type = content_type


class HTTPError(CGIError):
    """An answer with an HTTP error status, raised by a script: `raise HTTPError(404, "no such page")`.

    `status` is 400 to 599 (`ValueError` otherwise); `headers` are (name, value) pairs for the answer,
    or a mapping.

    It is an answer like any other: the session is saved (`keeps_session`). If it must not be, call
    `session.abandon()` first, or set `keeps_session = False` in a class of your own.
    """

    keeps_session = True

    def __init__(
        self,
        status: int,
        message: str = "",
        headers: "Mapping[str, str] | Iterable[tuple[str, str]]" = (),
    ) -> None:
        if not isinstance(status, int):
            raise TypeError(f"HTTPError takes a status (int) first, not {status!r}")
        if not 400 <= status <= 599:
            raise ValueError(f"HTTPError takes a status from 400 to 599, not {status!r}")
        super().__init__(message)
        self.status = status
        self.headers = tuple(headers.items() if hasattr(headers, "items") else headers)


class Refused(HTTPError):
    """Base of the `HTTPError`s that cgikit raises itself. They are not the script's own answers, so the
    session is not saved: a handler that writes before it checks a form must not keep what a forged form
    wanted.
    """

    keeps_session = False


class FormExpired(Refused):
    """The token of a form is not that of the visitor's session (403)."""


class SessionMoved(Refused):
    """A change under a session id that was just replaced (`rotate`) would be lost (503)."""


class LengthRequired(Refused):
    """The body has no length, and is not read (411)."""


class BodyNotReceived(Refused):
    """The body arrived too slowly (408), or there was no space for it (503, 507)."""


class LockTimeout(CGIError, TimeoutError):
    """A lock was not free in time (503). `.path` is the file, `.timeout` the seconds waited, `.holder`
    the process that held it, as far as that is known. `.message` is for the client and names no path;
    `str()` is for the log and does.
    """

    status = 503
    headers = (("Retry-After", "5"),)

    def __init__(self, path: str, timeout: float, holder: str = "another process") -> None:
        advice = "see what it is doing, or wait longer (timeout)"
        if holder.startswith("this "):
            advice = "release the lock before you take it again, here or in another thread"
        super().__init__(f"{path}: {holder} held the lock for {timeout:g} seconds; {advice}")
        self.path = path
        self.timeout = timeout
        self.holder = holder

    @property
    def message(self) -> str:
        """The message for the client, without the path (str)."""
        return "Another request is using the same data. Please try again in a moment."


class StorageError(CGIError, OSError):
    """A file that holds state cannot be read or written (500). `.path` names it; `.message` is for
    the client and does not; `str()` is for the log and does.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason

    @property
    def message(self) -> str:
        """The message for the client, without the path (str)."""
        return "The server could not read or write its data."


class MissingFile(CGIError, FileNotFoundError, ValueError):
    """The file for an answer does not exist, or is a directory (404). `.filename` is
    its path; `.message` is for the client and does not name it; `str()` is for the log and does.
    """

    status = 404

    def __str__(self) -> str:
        return f"{self.filename!r} cannot be sent: {reason_of(self)}"

    @property
    def message(self) -> str:
        """The message for the client, without the path (str)."""
        return "The file was not found."

    def __reduce__(self) -> "tuple[object, ...]":
        return type(self), (self.errno, self.strerror, self.filename)


class StateError(RuntimeError):
    """The script did things in the wrong order, such as sending two responses."""
