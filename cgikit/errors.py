"""The one error tree: what went wrong, with which HTTP status, and the evidence.

Everything a *request* can do wrong is a `CGIError` and carries `.status`, the HTTP status to answer
with (RFC 9110 section 15). What the *programmer* did wrong is never one: `TypeError`, `ValueError`
or `StateError`. No parsing and no rendering here; error pages are made in `debug.py`.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class CGIError(Exception):
    """Base of all errors that a request or its surroundings can cause.

    `.status` is the HTTP status code (int); `.headers` are (name, value) pairs that the answer must
    carry, such as `Allow` with 405. The message is meant for the client: it never holds secrets.
    """

    status = 500
    headers: tuple[tuple[str, str], ...] = ()
    keeps_session = False  # whether what the handler changed in the session is saved all the same

    @property
    def message(self) -> str:
        """What to tell the client (str)."""
        return str(self)

    def __reduce__(self) -> "tuple[object, ...]":
        # The default calls the class with the message alone, which most classes here do not take: an
        # error that a worker process hands back by pickle would be lost.
        return _again, (type(self), self.args, self.__dict__)


def _again(kind: type[CGIError], args: tuple[object, ...], state: dict[str, object]) -> CGIError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class BadRequest(CGIError, ValueError):
    """The request breaks its own rules: a lying length, a malformed body (400)."""

    status = 400


class InvalidField(BadRequest):
    """A form field is missing or does not convert (400). `.field` is its name, `.value` what came
    (None when nothing did), `.reason` what was expected.
    """

    def __init__(self, field: str, value: str | None, reason: str) -> None:
        super().__init__(f"field {field[:100]!r} {reason}")
        self.field = field
        self.value = value
        self.reason = reason


class MissingField(InvalidField, KeyError):
    """`fields[name]` where no such field came (400): a `KeyError` too, as every mapping raises."""

    def __init__(self, field: str) -> None:
        super().__init__(field, None, "is missing")

    # KeyError's own would show the message as a repr
    __str__ = Exception.__str__


class LimitExceeded(BadRequest):
    """The request is larger than a limit allows (413; 414 for the URL, 431 for the header).

    `.limit` is the limit's name in `Limits`, `.allowed` its value, `.seen` what the request has; where
    reading stopped at the limit, `.seen` is the smallest number it can be.
    """

    status = 413

    def __init__(self, limit: str, allowed: int, seen: int, status: int = 413) -> None:
        super().__init__(f"the request exceeds the limit {limit}={allowed}: it has {seen} or more")
        self.limit = limit
        self.allowed = allowed
        self.seen = seen
        self.status = status

    @property
    def message(self) -> str:
        """What to tell the client: in words, with the limit where it helps (str)."""
        words = _TOO_LARGE.get(self.limit, "This request is larger than this site allows.")
        if self.limit in ("body", "memory", "field", "file"):
            return words.format(_size(self.allowed))
        return words.format(f"{self.allowed:,}")


# What visitors are told of each of `Limits`; owners are told its name and numbers (`str(error)`).
_TOO_LARGE = {
    "query": "The address of this page is too long.",
    "fields": "This form has too many fields (limit {}).",
    "cookies": "Your browser has too many cookies for this site (limit {}). Delete some of them.",
    "body": "What was sent is too large (limit {}).",
    "memory": "What was sent is too large (limit {}).",
    "field": "A text in this form is too long (limit {}).",
    "file": "The file is too large (limit {}).",
    "files": "These are too many files at once (limit {}).",
    "part_headers": "A part of what was sent has too many headers (limit {}).",
    "part_header": "A part of what was sent has a header that is too long.",
    "boundary": "The boundary between the parts of what was sent is too long.",
    "json_values": "The JSON that was sent has too many values (limit {}).",
    "json_depth": "The JSON that was sent is nested too deeply (limit {}).",
}


def _size(count: int) -> str:
    """Return a number of bytes as people say it, rounded down: 1.9 MB."""
    for unit, name in ((1 << 30, "GB"), (1 << 20, "MB"), (1 << 10, "KB")):
        if count >= unit:
            return f"{count * 10 // unit / 10:g} {name}"
    return f"{count} bytes"


class UnsupportedMediaType(CGIError):
    """The body is of a type that was not asked for (415). `.content_type` is that type."""

    status = 415

    def __init__(self, message: str, content_type: str = "") -> None:
        super().__init__(message)
        self.content_type = content_type


class HTTPError(CGIError):
    """An answer with an HTTP error status, raised by a script: `raise HTTPError(404, "no such page")`.

    `status` is 400 to 599 (`ValueError` otherwise); `headers` are (name, value) pairs for the answer,
    or a mapping.

    It is an answer as any other: the session is saved (`keeps_session`). Call `session.abandon()` first
    where it must not be, or set `keeps_session = False` in a class of your own.
    """

    keeps_session = True

    def __init__(
        self,
        status: int,
        message: str = "",
        headers: "Mapping[str, str] | Iterable[tuple[str, str]]" = (),
    ) -> None:
        if not isinstance(status, int):
            raise TypeError(f"HTTPError takes a status and a message, not {status!r} first")
        if not 400 <= status <= 599:
            raise ValueError(f"HTTPError takes a status from 400 to 599, not {status!r}")
        super().__init__(message)
        self.status = status
        self.headers = tuple(headers.items() if hasattr(headers, "items") else headers)


class Refused(HTTPError):
    """Base of the `HTTPError`s that cgikit raises itself. They are not the script's own answers, so
    that nothing of the session is saved: a handler that writes before it checks a form must not keep
    what a forged one wanted.
    """

    keeps_session = False


class FormExpired(Refused):
    """The token of a form is not that of the visitor's session (403)."""


class SessionMoved(Refused):
    """A change under a session id that was just rotated away would be lost (503)."""


class LengthRequired(Refused):
    """The body came without a length, and is not read (411)."""


class BodyNotReceived(Refused):
    """The body came too slowly (408), or there was no room for it (503, 507)."""


class LockTimeout(CGIError, TimeoutError):
    """A lock was not free in time (503). `.path` is the file, `.timeout` the seconds waited, `.holder`
    says who held it, as far as that is known. `.message` is for the client and names no path; `str()`
    is for the log and does.
    """

    status = 503
    headers = (("Retry-After", "5"),)

    def __init__(self, path: str, timeout: float, holder: str = "another process") -> None:
        advice = "see what it does there, or wait longer (timeout)"
        if holder.startswith("this "):
            advice = "let go of the lock before you take it again, here or in another thread"
        super().__init__(f"{path}: {holder} held the lock for {timeout:g} seconds; {advice}")
        self.path = path
        self.timeout = timeout
        self.holder = holder

    @property
    def message(self) -> str:
        """What to tell the client: nothing about paths."""
        return "Another request is at work on the same data. Please try again in a moment."


class StorageError(CGIError, OSError):
    """A file that carries state cannot be read or written (500). `.path` names it; `.message` is for
    the client and does not; `str()` is for the log and does.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason

    @property
    def message(self) -> str:
        """What to tell the client: nothing about paths."""
        return "The server could not read or write its data."


class MissingFile(CGIError, FileNotFoundError, ValueError):
    """The file that an answer is to be made of is not there, or is a directory (404). `.filename` is
    its path; `.message` is for the client and does not name it; `str()` is for the log and does.
    """

    status = 404

    def __str__(self) -> str:
        reason = str(self.strerror)
        return f"{self.filename!r} cannot be sent: {reason[:1].lower()}{reason[1:]}"

    @property
    def message(self) -> str:
        """What to tell the client: nothing about paths."""
        return "There is no such file."

    def __reduce__(self) -> "tuple[object, ...]":
        return type(self), (self.errno, self.strerror, self.filename)


class StateError(RuntimeError):
    """The script did things in an order that cannot work, such as sending two responses."""
