"""The header fields of a response: stored, checked and written.

Implements RFC 9110 sections 5.1 and 5.5, and the header of a CGI answer (RFC 3875 section 6.3). Every
field of every response passes `check_field`, so nothing can be injected, however it was set.
`response.py` decides which fields a response has. The parameters inside a value belong to
`parameters.py`, cookies to `cookies.py`.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")

# Fields of the server (RFC 3875 section 6.3.4). Status is an attribute of `Response`.
_FORBIDDEN = frozenset((
    "connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
    "status",
))  # fmt: skip
_ONCE = frozenset((
    "content-type", "location", "content-length", "content-disposition", "content-range", "date",
    "etag", "expires", "last-modified", "retry-after",
))  # fmt: skip


def is_token(text: str) -> bool:
    """Return whether `text` is a token (RFC 9110 section 5.6.2): a valid header or cookie name."""
    return bool(text) and TOKEN.issuperset(text)


def check_field(name: str, value: str) -> None:
    """Raise `ValueError` unless `name: value` is safe to send as one header line.

    Names must be tokens, values printable ASCII. CR, LF, NUL and all other controls are refused and not
    removed: a value without them would not be the one that the script meant either.
    """
    if not is_token(name):
        raise ValueError(
            f"the header name {name[:100]!r} is not a token (RFC 9110 section 5.6.2); use letters, "
            "digits and dashes"
        )
    if not (value.isascii() and value.isprintable()):
        bad = next(char for char in value if not " " <= char <= "~")
        raise ValueError(
            f"header {name}: the value contains {bad!r}, but only printable ASCII can be sent; "
            "percent-encode or quote what comes from outside"
        )
    if value != value.strip():
        raise ValueError(
            f"header {name}: the value {value[:100]!r} begins or ends with a space; strip it"
        )


def check_fields(status: int, fields: "list[tuple[str, str]]") -> int | None:
    """Check all fields of an answer with this status, just before they are sent.

    Raises `ValueError` for a field that is not safe, that only the server may send, that may occur only
    once, and for a Location without a redirect. Returns the Content-Length (int, or None).
    """
    seen = set()
    length = None
    for name, value in fields:
        check_field(name, value)
        lowered = name.lower()
        if lowered in _FORBIDDEN:
            raise ValueError(f"header {name}: only the server may send it; leave it out")
        if lowered in seen and lowered in _ONCE:
            raise ValueError(
                f"header {name}: it is there twice, but may be sent only once; set it by "
                "response.headers[...] = ..., not by add"
            )
        # With 200 the server would mistake it for a local redirect (RFC 3875 section 6.2.2).
        if lowered == "location" and (
            status == 200 or not (value.startswith("/") or "://" in value)
        ):
            raise ValueError(
                f"Location: {value[:100]!r} cannot be sent with status {status}; use Response.redirect"
            )
        if lowered == "content-length":
            length = value
        seen.add(lowered)
    return None if length is None else _length(length)


def _length(value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) < 19):
        raise ValueError(
            f"Content-Length: {value[:50]!r} is not a valid length; give the number of bytes in "
            "digits, or leave it out"
        )
    return int(value)


def cgi_head(status: int, fields: "list[tuple[str, str]]") -> bytes:
    """Return the header of a CGI answer with its blank line (bytes; RFC 3875 section 6.3)."""
    lines = [f"{name}: {value}\n" for name, value in fields]
    if status != 200:
        from .status import REASONS

        lines.insert(0, f"Status: {status:d} {REASONS.get(status, 'Unknown')}\n")
    elif not fields:
        lines = ["Status: 200 OK\n"]  # a CGI answer has at least one field
    return ("".join(lines) + "\n").encode("ascii")


class Headers:
    """An ordered list of header fields; the case of names does not matter.

    `headers["Name"] = value` replaces all fields of that name, `add` appends another one. Every field
    is checked when it is set (`ValueError`), and again when the response is sent.
    """

    __slots__ = ("_fields",)

    def __init__(self, fields: "Mapping[str, str] | Iterable[tuple[str, str]]" = ()) -> None:
        self._fields: list[tuple[str, str]] = []
        pairs = fields.items() if hasattr(fields, "items") else fields
        for name, value in pairs:
            self.add(name, value)

    def add(self, name: str, value: str) -> None:
        """Append a field and keep those of the same name (Set-Cookie, Link, Vary)."""
        value = str(value)
        check_field(name, value)
        self._fields.append((name, value))

    def get(self, name: str, default: str | None = None) -> str | None:
        """Return the first value of `name`, or `default`."""
        wanted = name.lower()
        for have, value in self._fields:
            if have.lower() == wanted:
                return value
        return default

    def getlist(self, name: str) -> list[str]:
        """Return all values of `name` in order (a new list)."""
        wanted = name.lower()
        return [value for have, value in self._fields if have.lower() == wanted]

    def items(self) -> list[tuple[str, str]]:
        """Return all (name, value) pairs in order, including repeated names (a new list)."""
        return list(self._fields)

    def __getitem__(self, name: str) -> str:
        value = self.get(name)
        if value is None:
            raise KeyError(name)
        return value

    def __setitem__(self, name: str, value: str) -> None:
        value = str(value)
        check_field(name, value)
        wanted = name.lower()
        for at, (have, _) in enumerate(self._fields):
            # The new field takes the place of the old one: the order can matter to readers.
            if have.lower() == wanted:
                rest = [field for field in self._fields[at + 1 :] if field[0].lower() != wanted]
                self._fields[at:] = [(name, value), *rest]
                return
        self._fields.append((name, value))

    def __delitem__(self, name: str) -> None:
        if name not in self:
            raise KeyError(name)
        wanted = name.lower()
        self._fields = [field for field in self._fields if field[0].lower() != wanted]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.get(name) is not None

    def __iter__(self) -> "Iterator[str]":
        return iter([name for name, _ in self._fields])

    def __len__(self) -> int:
        return len(self._fields)

    def __repr__(self) -> str:
        return f"Headers({self._fields!r})"
