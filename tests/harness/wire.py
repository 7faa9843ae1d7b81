"""What the tests of both codecs share: events as data, and input fed in every way."""

from collections.abc import Callable, Iterable
from typing import Any

from hypothesis import strategies as st
from properties import as_environ

from cgikit.gateway.fastcgi import FastCGI
from cgikit.gateway.scgi import SCGI
from cgikit.gateway.wire import Aborted, BodyPiece, Event, RequestStarted, WireError

Codec = FastCGI | SCGI

#: What a server can send for variables: any bytes but NUL, no "=" in names.
names = st.binary(min_size=1, max_size=200).map(
    lambda raw: as_environ(raw.replace(b"\0", b"_").replace(b"=", b"_"))
)
values = st.binary(max_size=300).map(lambda raw: as_environ(raw.replace(b"\0", b"")))
variables = st.dictionaries(names, values, max_size=20)


def shown(event: Event) -> list[Any]:
    """An event as the corpora spell it."""
    if isinstance(event, RequestStarted):
        return ["RequestStarted", event.request, event.variables]
    if isinstance(event, BodyPiece):
        return ["BodyPiece", event.request, event.data.decode("latin-1")]
    assert isinstance(event, Aborted)
    return ["Aborted", event.request]


def joined(events: Iterable[Event]) -> list[list[Any]]:
    """Events as data, with the pieces of a body in one: where it is cut is nobody's business."""
    found: list[list[Any]] = []
    for event in map(shown, events):
        piece = event[0] == "BodyPiece" and event[2]
        if piece and found and found[-1][0] == "BodyPiece" and found[-1][2]:
            found[-1][2] += event[2]
        else:
            found.append(event)
    return found


def outcome(make: Callable[[], Codec], pieces: Iterable[bytes]) -> dict[str, Any]:
    """What a connection gives for the pieces, or the error; anything else that is raised passes."""
    codec = make()
    events: list[Event] = []
    replies = b""
    try:
        for piece in pieces:
            events += codec.receive(piece)
            replies += codec.replies()
    except WireError as error:
        return {"error": str(error)}
    return {
        "events": joined(events),
        "replies": replies.hex(),
        "keep": codec.keep,
        "open": codec.request,
    }


def cuts(raw: bytes) -> list[list[bytes]]:
    """The ways to feed `raw`: byte by byte, with empty pieces, and in two at every place."""
    single = [raw[at : at + 1] for at in range(len(raw))]
    return [
        single,
        [piece for byte in single for piece in (b"", byte)],
        *[[raw[:at], raw[at:]] for at in range(1, len(raw))],
    ]
