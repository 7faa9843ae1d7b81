"""Response bodies that come piece by piece: what a piece may be, when the first one is made, and the
length that the header announces (RFC 9110 section 8.6). Internal.

Bodies that are made of other things than bytes, one after the other, are an `ItemStream`: see
`events.py` and `push.py`.

`response.py` decides which fields an answer has, and imports this module only for such a body. The
callers decide how the pieces are sent.
"""

from . import process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

    #: A piece of a body: text, or an object that holds bytes.
    Piece = str | bytes | bytearray | memoryview
    ResponseBody = Piece | Iterable[Piece]

#: Header fields of an answer that stays open, for caches and proxies on the way: no cache stores it, no
#: proxy compresses it (RFC 9111 section 5.2.2.6), and nginx does not buffer it.
LIVE = {"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"}


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
            f"the body is {shown(body)}; give a str, bytes, or an iterable of these"
        ) from None


def used_up() -> Exception:
    """Return the error for a response whose body was read for another request."""
    return process.misuse(
        "the body of this response was read already, and it can be read only once; make a new response "
        "for each request"
    )


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
            raise TypeError(f"a piece of the body is {shown(piece)}; give a str or bytes")
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


def shown(value: object) -> str:
    """Return a value's type and the beginning of what it looks like, for a message."""
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


class ItemStream:
    """The bytes of `items`, an iterable: first `first`, so that the header is sent before there is an
    item, then each item as soon as it is made, as `build` returns it, and `last`.

    `close` closes the iterable, if it can be closed: a generator that waits at a `yield` gets
    `GeneratorExit` there. `TypeError` if `items` is a single one, which `noun` names, or no iterable.
    """

    def __init__(
        self,
        items: "Iterable[Any]",
        build: "Callable[[Any], bytes]",
        noun: str,
        first: bytes,
        last: bytes = b"",
    ) -> None:
        if (
            isinstance(items, str | bytes)
            or hasattr(type(items), "keys")
            or not hasattr(type(items), "__iter__")
        ):
            raise TypeError(
                f"the {noun}s are {shown(items)}; give an iterable of {noun}s, such as a generator"
            )
        self._source = items
        self._items: Iterator[Any] | None = None
        self._build = build
        self._first, self._last = first, last

    def __iter__(self) -> "Iterator[bytes]":
        return self

    def __next__(self) -> bytes:
        if self._items is None:
            self._items = iter(self._source)
            return self._first
        for item in self._items:
            return self._build(item)
        last, self._last = self._last, b""
        if not last:
            raise StopIteration
        return last

    def close(self) -> None:
        """Close the iterable."""
        for one in (self._items, self._source):
            close = getattr(one, "close", None)
            if close is not None:
                close()
