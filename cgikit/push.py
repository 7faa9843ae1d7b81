"""Server push: a multipart answer in which each part replaces the previous one
(multipart/x-mixed-replace). Netscape introduced it; only the syntax of the parts is in a standard (RFC
2046 section 5.1.1).

This module writes the parts. `Response.push` is the answer made of them. To change a page that stays
open, use `events.py`, which all browsers support.
"""

from .streamed import LIVE, ItemStream, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Protocol

    from .environ import MetaVariables

    class Answering(Protocol):
        """A `Response`."""

        def answer(
            self, request: MetaVariables
        ) -> tuple[int, list[tuple[str, str]], Iterable[bytes]]:
            """Return the status, the fields and the body."""

        def close(self) -> None:
            """Close the body."""

    Page = Answering | str

_HTML = "text/html; charset=utf-8"


def stream(pages: "Iterable[Page]") -> tuple[ItemStream, dict[str, str]]:
    """Return the body and the header fields of an answer. The body has a part for each of `pages`: HTML
    (str), or a `Response` with another type. `TypeError` if `pages` is a single one.

    Each part is followed immediately by the boundary, because browsers show it only then. The boundary
    is random. If a part contains it all the same, the stream raises `ValueError` instead of sending
    that part.
    """
    from secrets import token_hex

    boundary = token_hex(16)
    delimiter = f"--{boundary}".encode()

    def build(page: "Page") -> bytes:
        content_type, data = _part(page)
        if delimiter in data:
            raise ValueError(
                "a page contains the boundary between the pages, so it is not sent; never put the "
                "boundary of an answer into a page"
            )
        head = f"\r\nContent-Type: {content_type}\r\nContent-Length: {len(data)}\r\n\r\n"
        return head.encode("ascii") + data + b"\r\n" + delimiter

    body = ItemStream(pages, build, "page", first=delimiter, last=b"--\r\n")
    return body, {**LIVE, "Content-Type": f"multipart/x-mixed-replace; boundary={boundary}"}


def _part(page: "Page") -> tuple[str, bytes]:
    """Return the type and the bytes of one page."""
    if isinstance(page, str):
        return _HTML, page.encode("utf-8", "replace")
    if not hasattr(page, "answer"):
        raise TypeError(f"a page is {shown(page)}; give HTML (str) or a Response")
    from .environ import MetaVariables

    try:
        status, fields, body = page.answer(MetaVariables({"REQUEST_METHOD": "GET"}))
        coded = [value for name, value in fields if name.lower() == "content-encoding"]
        if coded:
            raise ValueError(
                f"a page has the Content-Encoding {coded[0]!r}, which a part of an answer cannot "
                "have; give the page without it"
            )
        types = [value for name, value in fields if name.lower() == "content-type"]
        if status != 200 or not types:
            raise ValueError(
                f"a page has status {status} and {'a type' if types else 'no type'}, but a part of "
                "an answer has a type and status 200; give such a page"
            )
        return types[0], b"".join(body)
    finally:
        page.close()
