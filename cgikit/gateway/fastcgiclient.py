"""FastCGI, the web server's side: a request as records, and the records of its answer as events.

The inverse of `fastcgi.py`, for programs that send requests to an application: `cgikit serve` and the
tests. One request at a time on a connection. This module has no sockets.
"""

from .fastcgi import (
    BEGIN_REQUEST,
    END_REQUEST,
    GET_VALUES_RESULT,
    KEEP_CONN,
    PARAMS,
    RESPONDER,
    STDERR,
    STDIN,
    STDOUT,
    UNKNOWN_TYPE,
    _record,
    _stream,
    build_variables,
    parse_variables,
)
from .wire import Event, WireError


class Output(Event):
    """A piece of the answer in `.data` (bytes), which a script wrote to standard output."""

    __slots__ = ("data",)

    def __init__(self, request: int, data: bytes) -> None:
        self.request = request
        self.data = data


class Errors(Event):
    """A piece of standard error, in `.data` (bytes)."""

    __slots__ = ("data",)

    def __init__(self, request: int, data: bytes) -> None:
        self.request = request
        self.data = data


class Ended(Event):
    """The end. `.app_status` is the script's exit status (int); `.protocol_status` is 0 for an answer,
    and for a refusal 1 (CANT_MPX_CONN), 2 (OVERLOADED) or 3 (UNKNOWN_ROLE).
    """

    __slots__ = ("app_status", "protocol_status")

    def __init__(self, request: int, app_status: int, protocol_status: int) -> None:
        self.request = request
        self.app_status = app_status
        self.protocol_status = protocol_status


class Values(Event):
    """The application's reply to GET_VALUES in `.variables`; `.request` is 0."""

    __slots__ = ("variables",)

    def __init__(self, request: int, variables: dict[str, str]) -> None:
        self.request = request
        self.variables = variables


class Unknown(Event):
    """The application does not support management records of type `.kind` (int); `.request` is 0."""

    __slots__ = ("kind",)

    def __init__(self, request: int, kind: int) -> None:
        self.request = request
        self.kind = kind


def encode_request(
    variables: dict[str, str], body: bytes, keep: bool = False, request: int = 1
) -> bytes:
    """Return a whole request to a Responder as records (bytes). The inverse of `FastCGI.receive`.

    CONTENT_LENGTH is not added. `request` is the number, 1 to 65,535; with `keep` the application is
    asked to leave the connection open.
    """
    return b"".join((
        encode_begin(request, keep),
        _stream(PARAMS, request, build_variables(variables)),
        _record(PARAMS, request, b""),
        _stream(STDIN, request, body),
        _record(STDIN, request, b""),
    ))  # fmt: skip


def encode_begin(request: int = 1, keep: bool = False, role: int = RESPONDER) -> bytes:
    """Return the record that begins a request (bytes)."""
    content = bytes((role >> 8, role & 255, KEEP_CONN if keep else 0, 0, 0, 0, 0, 0))
    return _record(BEGIN_REQUEST, request, content)


def encode_record(kind: int, request: int, content: bytes = b"") -> bytes:
    """Return any one record (bytes), padded to 8 bytes; `content` is at most 65,535 bytes."""
    return _record(kind, request, content)


class Responses:
    """Parses what an application sends: feed it the bytes received, it returns events."""

    __slots__ = ("_held",)

    def __init__(self) -> None:
        self._held = bytearray()

    def receive(self, data: bytes) -> list[Event]:
        """Return the events in `data`: `Output`, `Errors`, `Ended`, `Values`, `Unknown`.

        The ends of streams give no event. Raises `WireError`.
        """
        self._held += data
        events: list[Event] = []
        at, end = 0, len(self._held)
        held = self._held
        while end - at >= 8:
            if held[at] != 1:
                raise WireError(f"the FastCGI version is {held[at]}, not 1")
            stop = at + 8 + (held[at + 4] << 8 | held[at + 5])
            following = stop + held[at + 6]
            if following > end:
                break
            request = held[at + 2] << 8 | held[at + 3]
            event = _event(held[at + 1], request, bytes(held[at + 8 : stop]))
            if event is not None:
                events.append(event)
            at = following
        del held[:at]
        return events


def _event(kind: int, request: int, content: bytes) -> Event | None:
    if kind == STDOUT:
        return Output(request, content) if content else None
    if kind == STDERR:
        return Errors(request, content) if content else None
    if kind == END_REQUEST and len(content) == 8:
        return Ended(request, int.from_bytes(content[:4], "big"), content[4])
    if kind == GET_VALUES_RESULT and not request:
        return Values(0, parse_variables(content))
    if kind == UNKNOWN_TYPE and not request and len(content) == 8:
        return Unknown(0, content[0])
    raise WireError(f"a record of type {kind} is not allowed in an answer")
