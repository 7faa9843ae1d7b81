"""Response bodies that come piece by piece: what a piece may be, when the first one is made, and the
length that the header announces (RFC 9110 section 8.6). Internal.

`response.py` decides which fields an answer has, and imports this module only for such a body. The
callers decide how the pieces are sent.
"""

from . import process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    #: A piece of a body: text, or an object that holds bytes.
    Piece = str | bytes | bytearray | memoryview
    ResponseBody = Piece | Iterable[Piece]


def taken(body: object) -> "bytes | Iterator[Piece]":
    """Return the bytes of a body that holds bytes (a bytearray, memoryview, mmap), or an iterator over
    its pieces; `TypeError` for anything else.
    """
    if isinstance(body, dict):  # iterating would send its names
        raise TypeError("the body is a dict; use Response.json(…) to send it")
    data = _held(body)
    if data is not None:
        return data
    try:
        return iter(body)  # type: ignore[call-overload, no-any-return]
    except TypeError:
        raise TypeError(
            f"the body is {_shown(body)}; give a str, bytes, or an iterable of these"
        ) from None


def begin(
    pieces: "Iterator[Piece]", encode: "Callable[[str], bytes]", length: int | None, counted: bool
) -> "Iterable[bytes]":
    """Return an iterable over the pieces of a body as bytes. The first piece is made here, before the
    header is sent: if that fails, an error page can still be sent.

    An empty first piece counts: with it, a stream has its header sent immediately. `length` is what
    the header announces. A wrong length raises `ValueError` if the first piece shows it, or any
    piece if all of them are there to be `counted`. In a process that was forked while the piece was
    made this raises `SystemExit`: a request has one answer.
    """
    own = process.pid()
    chunks = _encoded(pieces, encode)
    if counted and length is not None:
        chunks = _counted([*chunks], length)
    first = next(chunks, None)
    if process.pid() != own:
        raise SystemExit(0)
    if length is None:
        return _from(first, chunks)
    if len(first or b"") > length:
        raise _too_long(length)
    if first is None and length:
        raise _too_short(0, length)
    return Announced(_from(first, chunks), length)


def _counted(chunks: list[bytes], length: int) -> "Iterator[bytes]":
    """Return an iterator over the pieces; `ValueError` if their length is not `length`."""
    total = sum(map(len, chunks))
    if total > length:
        raise _too_long(length)
    if total < length:
        raise _too_short(total, length)
    return iter(chunks)


def _encoded(pieces: "Iterable[Piece]", encode: "Callable[[str], bytes]") -> "Iterator[bytes]":
    for piece in pieces:
        data = encode(piece) if isinstance(piece, str) else _held(piece)
        if data is None:
            raise TypeError(f"a piece of the body is {_shown(piece)}; give a str or bytes")
        yield data


def _held(value: object) -> bytes | None:
    """Return a copy of the bytes that a value holds; None if it holds no bytes."""
    if isinstance(value, bytes):
        return value
    try:
        with memoryview(value) as view:  # type: ignore[arg-type]
            return view.tobytes() if view.itemsize == 1 else None
    except TypeError:
        return None


def _shown(value: object) -> str:
    return f"{type(value).__name__} {repr(value)[:60]}"


def _from(first: bytes | None, chunks: "Iterator[bytes]") -> "Iterator[bytes]":
    if first:
        yield first
    for data in chunks:
        if data:  # an empty chunk would end a chunked answer
            yield data


def _too_long(length: int) -> ValueError:
    return ValueError(
        f"the body is longer than its Content-Length, {length}, and the rest is not sent; "
        "omit the header, or correct it"
    )


def _too_short(sent: int, length: int) -> ValueError:
    return ValueError(
        f"the body ended after {sent} of the {length} bytes that its Content-Length announced; omit "
        "the header, or correct it"
    )


class Announced:
    """A body whose length was announced in the header. Iterating yields that many bytes, no more, and
    raises `ValueError` if the body ends earlier, or continues after that.

    `.left` is how many bytes are still to come (int). Once it is 0, the client has everything, and a
    later failure does not matter to it.
    """

    def __init__(self, chunks: "Iterable[bytes]", length: int) -> None:
        self._chunks = chunks
        self.length = self.left = length

    def __iter__(self) -> "Iterator[bytes]":
        for data in self._chunks:
            wanted, self.left = data[: self.left], max(0, self.left - len(data))
            if wanted:
                yield wanted
            if len(wanted) < len(data):
                raise _too_long(self.length)
        if self.left:
            raise _too_short(self.length - self.left, self.length)
