"""Internal. Bodies that come piece by piece: what a piece may be, and the length that a header
announces for all of them (RFC 9110 section 8.6).

Which fields an answer has is decided in `response.py`, which imports this module only for such a body;
how the pieces are sent is decided by whoever sends them.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def pieces(body: "Iterable[str | bytes]") -> "Iterator[str | bytes]":
    """Return an iterator over a body; `TypeError` for what is none."""
    if isinstance(body, dict):  # one would send its names
        raise TypeError("the body is a dict: use Response.json")
    return iter(body)


def measured(chunks: "Iterable[bytes]", length: int | None) -> "Iterable[bytes]":
    """Return what iterates over `chunks`, which are as long as the header tells, if it does."""
    return chunks if length is None or chunks == () else Announced(chunks, length)


class Announced:
    """A body whose length the header tells already. Iterating gives as many bytes and no more, and
    raises `ValueError` where the body ends before that, or goes on after it.

    `.left` is how many bytes are still to come (int): once it is 0, whatever fails fails too late to
    matter to the client.
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
                raise ValueError(
                    f"the body is longer than its Content-Length, {self.length}: what came after that "
                    "was not sent; leave the header out, or count again"
                )
        if self.left:
            raise ValueError(
                f"the body ended after {self.length - self.left} of the {self.length} bytes that its "
                "Content-Length announced; leave the header out, or count again"
            )
