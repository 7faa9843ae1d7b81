"""Server-sent events: an answer that stays open, and sends each event as soon as there is one (the HTML
standard of the WHATWG, section 9.2).

This module writes the format text/event-stream, and reads the id that a client sends when it
reconnects. `Response.events` makes an answer of it; `streamed.py` decides when a piece is made,
`process.py` flushes it. Pages and images that replace each other are in `push.py`.
"""

from .streamed import LIVE, ItemStream, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    #: The text of an event, its fields, or None for a comment.
    Event = str | Mapping[str, object] | None

#: Bytes of an id in UTF-8. It comes back in a header field, and servers refuse one of more than 8 KB.
MAX_ID = 1_024
#: Milliseconds, about 24 days: browsers count them in 32 bits.
MAX_RETRY = 2**31 - 1

_COMMENT = b":\n\n"
_KEYS = frozenset(("data", "id", "event", "retry"))


def stream(events: "Iterable[Event]") -> tuple[ItemStream, dict[str, str]]:
    """Return the body and the header fields of an answer. The body begins with a comment, so that the
    header is sent before the first event. `TypeError` if `events` is a single one.
    """
    fields = {**LIVE, "Content-Type": "text/event-stream; charset=utf-8"}
    return ItemStream(events, build, "event", first=_COMMENT), fields


def build(event: "Event") -> bytes:
    """Return one event as it is sent (bytes).

    A str is the `data` of an event. A dict, or another mapping, has one or more of: `data` (str; a line
    ends at CR, LF or CR LF), `event` (str, the type), `id` (str or int; "" makes the client forget the
    last one) and `retry` (int, milliseconds until the client reconnects after the end of the stream).
    None is a comment, which the page does not see.

    Raises `TypeError` for a value of another type, `ValueError` for one that would not arrive
    unchanged.
    """
    if event is None:
        return _COMMENT
    if isinstance(event, str):
        event = {"data": event}
    if not hasattr(type(event), "keys"):
        raise TypeError(f"an event is {shown(event)}; give a str, a dict or None")
    event = dict(event)
    if not event.keys() <= _KEYS or not event:
        unknown = sorted(map(repr, event.keys() - _KEYS))
        raise ValueError(
            f"an event {'has the key ' + unknown[0] if unknown else 'is an empty dict'}; give one or "
            "more of 'data', 'id', 'event' and 'retry'"
        )
    if "event" in event and "data" not in event:
        raise ValueError("an event has a type but no data, and no page would see it; give data=''")
    lines = [_FIELD[key](event[key]) for key in ("event", "id", "retry", "data") if key in event]
    return ("".join(lines) + "\n").encode("utf-8", "replace")


def _type(value: object) -> str:
    text = _text("event", value)
    if "\n" in text or "\r" in text:
        raise ValueError(
            f"event={text[:100]!r} is not a valid type: it has more than one line; give a single line"
        )
    return f"event: {text}\n"


def _id(value: object) -> str:
    text = str(value) if type(value) is int else _text("id", value, "a str or an int")
    fault = id_fault(text)
    if fault:
        raise ValueError(f"id={text[:100]!r} is not a valid id: {fault}; give another one")
    return f"id: {text}\n"


def _retry(value: object) -> str:
    if type(value) is not int or not 0 <= value <= MAX_RETRY:
        raise ValueError(
            f"retry={value!r} is not valid; give milliseconds, an int from 0 to {MAX_RETRY}"
        )
    return f"retry: {value}\n"


def _data(value: object) -> str:
    text = _text("data", value).replace("\r\n", "\n").replace("\r", "\n")
    return "".join([f"data: {line}\n" for line in text.split("\n")])


_FIELD = {"event": _type, "id": _id, "retry": _retry, "data": _data}


def id_fault(text: str) -> str:
    """Return why `text` cannot be the id of an event (str), or "" if it can.

    An id must come back unchanged in the field Last-Event-ID: controls would not, nor would spaces at
    either end.
    """
    if any(char < " " or char == "\x7f" for char in text):
        return "it contains a control character"
    if text.strip(" ") != text:
        return "it begins or ends with a space"
    try:
        length = len(text.encode())
    except UnicodeEncodeError:
        return "it is not text"
    return f"it has more than {MAX_ID} bytes" if length > MAX_ID else ""


def last_event_id(value: str) -> str:
    """Return the id in a field Last-Event-ID (str): that of the last event that the client has seen, or
    "" if it has seen none with an id.

    Raises `BadRequest` for an id that `build` would not have sent.
    """
    fault = id_fault(value)
    if fault:
        from .errors import BadRequest

        raise BadRequest(f"Last-Event-ID is not a valid id: {fault}; connect without it")
    return value


def _text(key: str, value: object, wanted: str = "a str") -> str:
    if not isinstance(value, str):
        raise TypeError(f"{key} of an event is {shown(value)}; give {wanted}")
    return value
