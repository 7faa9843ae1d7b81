"""Compression of an answer: gzip (RFC 1952), for a client that accepts it (RFC 9110 section 12.5.3).

This module decides whether a body is compressed, and how that changes the header. A script asks for it
by `response.compressed = True`. It is never the default: if a page contains a secret and text that an
attacker can choose, its length discloses the secret (BREACH; docs/reference/response.md).
`accept.py` reads what a client accepts.
"""

from zlib import DEFLATED, Z_SYNC_FLUSH, compressobj

from .accept import encodings, vary

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    from .environ import MetaVariables

    Fields = list[tuple[str, str]]

#: Bytes. A shorter body is sent as it is: it would need one packet either way.
LEAST = 1_000

_LEVEL = 6  # what zlib itself takes
_GZIP = 31  # a window of 32 KiB, with the header and the checksum of gzip

_TEXTS = frozenset((
    "application/javascript", "application/json", "application/xml", "image/svg+xml",
))  # fmt: skip
# This script has not made the body, or a field describes its bytes.
_FIXED = frozenset((
    "content-encoding", "content-md5", "content-digest", "repr-digest", "digest", "x-sendfile",
    "x-accel-redirect",
))  # fmt: skip
# They describe the bytes before compression: their number, and that parts of them can be requested.
_OF_BYTES = frozenset(("content-length", "accept-ranges"))


def prepare(
    request: "MetaVariables", status: int, fields: "Fields", body: "Any"
) -> "tuple[Fields, Any, Callable[[Iterable[bytes]], Iterator[bytes]] | None]":
    """Return the fields and the body that answer `request`, and the function that the pieces of the
    body have to go through, or None.

    `body` is a tuple of bytes, which is compressed here, or anything else that is sent piece by piece.
    The fields get `Vary: Accept-Encoding` whether or not this client's answer is compressed. HEAD has
    the fields of GET.
    """
    names = {name.lower(): value for name, value in fields}
    # An answer of 304 has no type: it speaks of one that had.
    if not _is_text(names.get("content-type", "text/html")) or not _FIXED.isdisjoint(names):
        return fields, body, None
    fields = _varying(fields)
    if encodings(request.headers.get("Accept-Encoding", ""), ["gzip", "identity"]) != "gzip":
        return fields, body, None
    if status in {204, 205, 304}:
        return _weakened(fields), body, None
    length = names.get("content-length")
    if status == 206 or (length is not None and int(length) < LEAST):
        return fields, body, None
    changed = [
        *[field for field in _weakened(fields) if field[0].lower() not in _OF_BYTES],
        ("Content-Encoding", "gzip"),
    ]
    if not isinstance(body, tuple):
        return changed, body, pieces
    data = b"".join(pieces(body, flushed=False))
    if len(data) >= sum(map(len, body)):
        return fields, body, None
    return [*changed, ("Content-Length", str(len(data)))], (data,), None


def pieces(chunks: "Iterable[bytes]", *, flushed: bool = True) -> "Iterator[bytes]":
    """Yield the pieces of a body, compressed as one gzip file. Each is `flushed`: a client can read all
    of it as soon as it has come.
    """
    # It writes no time, so that the same body has the same bytes.
    packer = compressobj(_LEVEL, DEFLATED, _GZIP)
    for data in chunks:
        packed = packer.compress(data)
        if flushed:
            packed += packer.flush(Z_SYNC_FLUSH)
        if packed:  # an empty chunk would end a chunked answer
            yield packed
    yield packer.flush()


def _is_text(content_type: str) -> bool:
    """Return whether a body of this type is compressed: text, but not events, which must not be held
    back.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind.startswith("text/"):
        return kind != "text/event-stream"
    return kind in _TEXTS or kind.endswith(("+json", "+xml"))


def _varying(fields: "Fields") -> "Fields":
    """Return the fields with one Vary that has Accept-Encoding."""
    present = ", ".join([value for name, value in fields if name.lower() == "vary"])
    others = [field for field in fields if field[0].lower() != "vary"]
    return [*others, ("Vary", vary(present, ["Accept-Encoding"]))]


def _weakened(fields: "Fields") -> "Fields":
    """Return the fields with a weak ETag: a strong one belongs to the same bytes each time (RFC 9110
    section 8.8.1).
    """
    return [
        (name, f"W/{value}" if name.lower() == "etag" and not value.startswith("W/") else value)
        for name, value in fields
    ]
