"""application/x-www-form-urlencoded: parse and build query strings and urlencoded bodies.

Implements section 5 of the WHATWG URL standard (parsing and serialising) on bytes. This module alone
decides what a field is, how escapes are decoded, and what becomes of bytes that are not UTF-8. Bodies
are read in `body.py`; QUERY_STRING comes from `environ.py`.
"""

from codecs import unicode_escape_decode

from .limits import DEFAULT_LIMITS, Limits
from .multidict import MultiDict, MultiMap

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# While the whole string is decoded in one go, these two controls replace the separators, so that an
# escaped "&" or "=" is not mistaken for one.
_MARK_FIELD, _MARK_VALUE = "\x1e", "\x1f"
_MARKS = bytes.maketrans(b"+&=", b" \x1e\x1f")
# For finding escapes, all of a block in one go: bit 0 of a byte says that it is a hex digit, bit 1 that
# it is a "%". Read as one little-endian number, the next byte is eight bits further up.
_HEX = b"0123456789abcdefABCDEF"
_OTHER = bytes(range(256)).translate(None, _HEX + b"%")
_CLASSES = bytes.maketrans(_HEX + b"%" + _OTHER, b"\1" * 22 + b"\2" + bytes(len(_OTHER)))
_BLOCK = 65_536
# Bytes that can stand for a "%" while escapes are decoded: all but those that escapes consist of. There
# are so many that one of them occurs no more than _RARE times in any block.
_STAND_INS = _OTHER.translate(None, b"\\x")
_RARE = 2 * _BLOCK // len(_STAND_INS)
_PLAIN = frozenset(b"*-._0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")


def parse(
    data: bytes | str,
    *,
    semicolons: bool = False,
    errors: str = "replace",
    limits: Limits = DEFAULT_LIMITS,
    codec: str = "utf-8",
) -> MultiDict:
    """Parse `data` into a `MultiDict`. The inverse is `build`.

    Order, repeated names and blank values are kept. A `+` is a space; a `%` that does not begin an
    escape stays unchanged. A str stands for its UTF-8 bytes, surrogate escapes for other bytes. With
    `semicolons=True`, `;` also separates fields, as HTML 4 suggested; it is off because a cache in
    front may split the fields differently (CVE-2021-23336).

    Names and values are decoded as UTF-8, or by another `codec` (from `charsets.of_page`). Invalid
    bytes become U+FFFD, as WHATWG requires; with `errors="strict"` they raise `BadRequest`, which names
    the field. More than `limits.fields` fields raise `LimitExceeded` before any is decoded.
    """
    raw = data if isinstance(data, bytes) else _encode(data)
    if semicolons:
        raw = raw.replace(b";", b"&")
    raw = _squeeze(raw, limits.fields)
    if not raw:
        return MultiDict()
    try:
        text = _decode_whole(raw, errors) if codec == "utf-8" else None
    except ValueError:  # with "strict", bytes that are not UTF-8
        text = None
    if text is None:
        return MultiDict([_decode_field(field, errors, codec) for field in raw.split(b"&")])
    pairs = []
    for field in text.split(_MARK_FIELD):
        name, _, value = field.partition(_MARK_VALUE)
        if _MARK_VALUE in value:
            value = value.replace(_MARK_VALUE, "=")
        pairs.append((name, value))
    return MultiDict(pairs)


def keywords(data: bytes | str) -> list[str]:
    """Return the words of an ISINDEX query (RFC 3875 section 4.4): `a+b%20c` gives ["a", "b c"].

    A query string with an unencoded `=` is not an ISINDEX query: it has no keywords.
    """
    raw = data if isinstance(data, bytes) else _encode(data)
    if b"=" in raw:
        return []
    return [unquote(word).decode("utf-8", "replace") for word in raw.split(b"+") if word]


def build(fields: "Mapping[str, object] | Iterable[tuple[str, object]]") -> str:
    """Return fields as application/x-www-form-urlencoded (str, ASCII). The inverse is `parse`.

    `fields` is a mapping or an iterable of (name, value) pairs. A list or tuple as a value repeats the
    name; `str()` is applied to other values.
    """
    if isinstance(fields, MultiMap):
        pairs: Iterable[tuple[str, object]] = fields.pairs()
    else:
        items = getattr(fields, "items", None)
        pairs = items() if items else fields  # type: ignore[assignment]  # not a mapping: pairs
    out = []
    for name, value in pairs:
        for one in value if isinstance(value, list | tuple) else (value,):
            out.append(f"{_quote(name)}={_quote(str(one))}")
    return "&".join(out)


def unquote(raw: bytes) -> bytes:
    """Percent-decode bytes (WHATWG URL section 1.3); a `%` without two hex digits stays unchanged."""
    if b"%" not in raw:
        return raw
    if len(raw) <= _BLOCK:
        try:
            return _unescape(raw)
        except UnicodeDecodeError:
            return _unquote_block(raw)
    out = []
    start = 0
    # In blocks: one invalid escape in 8 MiB must not make all of it slow, and numbers get no larger.
    while start < len(raw):
        end = start + _BLOCK
        cut = raw.rfind(b"%", end - 2, end)
        if start < cut and end < len(raw):
            end = cut  # do not cut an escape in two
        out.append(_unquote_block(raw[start:end]))
        start = end
    return b"".join(out)


def _unquote_block(raw: bytes) -> bytes:
    """Decode a block in which a `%` may begin no escape, in a few passes over the whole block: there
    can be eight million. Another byte stands for each of these, because a `%` would be decoded.
    """
    mark = next(b for b in _STAND_INS if raw.count(b) <= _RARE)
    raw = raw.replace(b"%c" % mark, b"%%%02X" % mark)  # where that byte occurs, it is escaped
    classes = int.from_bytes(raw.translate(_CLASSES), "little")
    ones = int.from_bytes(b"\1" * len(raw))
    percents = classes >> 1 & ones
    strays = percents ^ (percents & classes >> 8 & classes >> 16)
    if not strays:
        return _unescape(raw)
    marked = int.from_bytes(raw, "little") ^ strays * (37 ^ mark)
    escaped = _as_python(marked.to_bytes(len(raw), "little"))
    return _decode_python(escaped.translate(bytes.maketrans(b"%c" % mark, b"%")))


def _unescape(raw: bytes) -> bytes:
    return _decode_python(_as_python(raw))


def _as_python(raw: bytes) -> bytes:
    """Return percent-escapes as escapes of Python, with backslashes escaped."""
    return raw.replace(b"\\", b"\\x5c").replace(b"%", b"\\x")


def _decode_python(escaped: bytes) -> bytes:
    # Python's decoder of \\xNN is the fastest way to decode percent-escapes: it requires two hex digits
    # and raises for anything else. (The function is called directly, because looking up the codec by
    # name imports a module.)
    return unicode_escape_decode(escaped)[0].encode("latin-1")


def _decode_whole(raw: bytes, errors: str) -> str | None:
    """Decode all escapes of the string in one go; return None if that would be ambiguous."""
    decoded = unquote(raw.translate(_MARKS))
    for separator, mark in (b"&", b"\x1e"), (b"=", b"\x1f"):
        if decoded.count(mark) != raw.count(separator):
            return None  # the data contains this mark too
    return decoded.decode("utf-8", errors)


def _decode_field(field: bytes, errors: str, codec: str) -> tuple[str, str]:
    name, _, value = field.replace(b"+", b" ").partition(b"=")
    try:
        return unquote(name).decode(codec, errors), unquote(value).decode(codec, errors)
    except UnicodeDecodeError:
        from .errors import BadRequest

        shown = unquote(name)[:100].decode(codec, "replace")
        raise BadRequest(
            f"the field {shown!r} is not valid {codec.upper()}; send the form in that charset"
        ) from None


def _squeeze(raw: bytes, allowed: int) -> bytes:
    """Return `raw` without its empty fields, or raise `LimitExceeded`."""
    while b"&&" in raw:  # each pass halves the longest run: linear, without a list of empty pieces
        raw = raw.replace(b"&&", b"&")
    raw = raw.strip(b"&")
    seen = raw.count(b"&") + 1
    if raw and seen > allowed:
        from .errors import LimitExceeded

        raise LimitExceeded("fields", allowed, seen)
    return raw


def _encode(text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        from .errors import BadRequest

        raise BadRequest(
            "the query contains half of a UTF-16 surrogate pair, which is not text; send UTF-8"
        ) from None


def _quote(text: str) -> str:
    raw = text.encode("utf-8", "surrogateescape")
    return "".join([chr(b) if b in _PLAIN else "+" if b == 0x20 else f"%{b:02X}" for b in raw])
