"""Internal. Query strings and urlencoded bodies as the removed `cgi` module parsed them: as pairs,
without the blank ones unless they are wanted.

`cgikit.querystring` decodes; this module decides which fields count, and which are errors.
"""

from cgikit.compat import limits
from cgikit.limits import Limits
from cgikit.querystring import parse, unquote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_BLOCK = 65_536


class Rules:
    """How one form is read: the arguments that `FieldStorage` and `parse` have in common."""

    __slots__ = ("encoding", "errors", "keep_blank", "most", "separator", "strict")

    def __init__(
        self,
        keep_blank: object = 0,
        strict: object = 0,
        encoding: str = "utf-8",
        errors: str = "replace",
        most: "int | None" = None,
        separator: "str | bytes" = "&",
    ) -> None:
        if not separator or not isinstance(separator, str | bytes):
            raise ValueError(f"the separator is {separator!r}; it must be a str that is not empty")
        self.keep_blank = keep_blank
        self.strict = strict
        self.encoding = encoding
        self.errors = errors
        self.most = most
        self.separator = separator if isinstance(separator, bytes) else separator.encode()

    def pairs(self, raw: bytes) -> list[tuple[str, str]]:
        """Return the (name, value) pairs of one query or body, in their order.

        Raises `ValueError` for more fields than `most` or `limits.fields` allow, and with `strict` for
        a field without `=`.
        """
        if not raw:
            return []
        if self.most is not None and self.count(raw) > self.most:
            raise ValueError("Max number of fields exceeded")
        if self.separator != b"&":
            raw = raw.replace(b"&", b"%26").replace(self.separator, b"&")
        if self.strict:
            self._check(raw)
        while b"&&" in raw:  # each round halves the longest run
            raw = raw.replace(b"&&", b"&")
        raw = raw.strip(b"&")
        limits.check("fields", raw.count(b"&") + 1)
        if self.encoding.lower() in ("utf-8", "utf8") and self.errors == "replace":
            found = parse(raw, limits=Limits(fields=limits.allowed("fields"))).pairs()
            return [pair for pair in found if pair[1] or self.keep_blank]
        fields = raw.split(b"&") if raw else []
        return [self._pair(field) for field in fields if self.keep_blank or _has_value(field)]

    def text_pairs(self, text: str) -> list[tuple[str, str]]:
        """Return the same for a query string that is text: unescaped characters are kept."""
        try:
            return self.pairs(text.encode(self.encoding, "surrogateescape"))
        except UnicodeEncodeError:
            from urllib.parse import parse_qsl
        limits.check("fields", text.count(self.separator.decode()) + 1)
        return parse_qsl(
            text,
            bool(self.keep_blank),
            bool(self.strict),
            self.encoding,
            self.errors,
            self.most,
            self.separator.decode(),
        )

    def count(self, raw: bytes) -> int:
        """Return the number of fields, including empty ones."""
        return raw.count(self.separator) + 1 if raw else 0

    def _check(self, raw: bytes) -> None:
        limits.check("fields", raw.count(b"&") + 1)
        for field in raw.split(b"&"):
            if b"=" not in field:
                shown = field.decode(self.encoding, self.errors)
                raise ValueError(f"bad query field: {shown!r}")

    def _pair(self, field: bytes) -> tuple[str, str]:
        name, _, value = field.replace(b"+", b" ").partition(b"=")
        return (
            unquote(name).decode(self.encoding, self.errors),
            unquote(value).decode(self.encoding, self.errors),
        )


def _has_value(field: bytes) -> bool:
    return bool(field.partition(b"=")[2])


def whole(source: "Any", length: int, limit: str = "memory") -> bytes:
    """Return a body of `length` bytes or, if that is negative, everything up to the end.

    Raises `ValueError` for one over the limit, and for one that ends early.
    """
    if length >= 0:
        limits.check(limit, length)
    pieces: list[bytes] = []
    seen = 0
    while length < 0 or seen < length:
        piece = source.read(_BLOCK if length < 0 else length - seen)
        if not isinstance(piece, bytes):
            raise ValueError(f"{source} should return bytes, got {type(piece).__name__}")
        if not piece:
            break
        pieces.append(piece)
        seen += len(piece)
        limits.check(limit, seen)
    if seen < length:
        raise cut_off(length, seen)
    return b"".join(pieces)


def cut_off(length: int, seen: int) -> ValueError:
    """Return the error of a body that is shorter than its length says."""
    return ValueError(
        f"the body was cut off: {seen} of {length} bytes came (CONTENT_LENGTH); it was not taken, the "
        "client has to send it again"
    )
