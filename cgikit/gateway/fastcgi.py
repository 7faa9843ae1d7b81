"""FastCGI, the application's side: records in, events out, records out.

Implements the FastCGI specification 1.0 for the Responder role, with one request at a time on a
connection, which is all that web servers use. This module has no sockets and does not interpret
requests; the web server's side is in `fastcgiclient.py`.
"""

from .wire import (
    MAX_VARIABLES,
    MAX_VARIABLES_SIZE,
    Aborted,
    BodyPiece,
    RequestStarted,
    WireError,
    checked,
    merged,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .wire import Event

# Record types (section 8 of the specification).
BEGIN_REQUEST = 1
ABORT_REQUEST = 2
END_REQUEST = 3
PARAMS = 4
STDIN = 5
STDOUT = 6
STDERR = 7
GET_VALUES = 9
GET_VALUES_RESULT = 10
UNKNOWN_TYPE = 11

RESPONDER = 1
KEEP_CONN = 1

# Protocol statuses of END_REQUEST.
REQUEST_COMPLETE = 0
CANT_MPX_CONN = 1
OVERLOADED = 2
UNKNOWN_ROLE = 3

_MAX_CONTENT = 65_528  # bytes: the largest multiple of 8 in a record, which needs no padding
# Replies that the peer does not read: no web server leaves some 4,000 of them unread
_MAX_REPLIES = 65_536


class FastCGI:
    """One connection, seen from the application. Feed it the bytes received, send what it returns.

    `connections` and `requests` are what GET_VALUES answers for FCGI_MAX_CONNS and FCGI_MAX_REQS.

    `.keep` tells whether the connection stays open after the request (the peer's FCGI_KEEP_CONN; True
    before the first). `.request` is the number of the open request, 0 for none: a request, even an
    aborted one, is open from its first record until `finish` or `refuse`.
    """

    __slots__ = (
        "_aborted",
        "_connections",
        "_erred",
        "_held",
        "_params",
        "_ready",
        "_replies",
        "_requests",
        "_wanted",
        "keep",
        "request",
    )

    def __init__(self, connections: int = 1, requests: int = 1) -> None:
        self.keep = True
        self.request = 0
        self._connections = connections
        self._requests = requests
        self._held = bytearray()  # the beginning of a record
        self._wanted = 8  # how much of it is needed to go on
        self._params: bytes | bytearray | None = b""  # None: all have come
        self._ready = False  # the body has ended
        self._aborted = False
        self._erred = False  # something went to STDERR, which must be closed as well
        self._replies = b""

    @property
    def complete(self) -> bool:
        """Whether the whole request was received, or the peer has aborted it."""
        return self._ready or self._aborted

    @property
    def is_idle(self) -> bool:
        """Whether the connection is between two requests, with no record received in part."""
        return not self.request and not self._held

    def receive(self, data: bytes) -> "list[Event]":
        """Return the events in `data`, the next bytes: `RequestStarted`, `BodyPiece`, `Aborted`.

        The events do not depend on how the bytes are cut, except for where a body is cut. Records of
        requests that are not open are dropped (section 3.3). Raises `WireError`: then the connection
        must be closed and this object not be used again; earlier events in the same bytes are lost.
        """
        if self._held:
            self._held += data
            if len(self._held) < self._wanted:
                return []
            data = bytes(self._held)
            self._held.clear()
        events: list[Event] = []
        at, end = 0, len(data)
        while end - at >= 8:
            if data[at] != 1:
                raise WireError(f"the FastCGI version is {data[at]}, not 1")
            start = at + 8
            stop = start + (data[at + 4] << 8 | data[at + 5])
            following = stop + data[at + 6]
            if following > end:
                self._wanted = following - at
                self._held += data[at:]
                return events
            request = data[at + 2] << 8 | data[at + 3]
            if not request:
                self._manage(data[at + 1], data[start:stop])
            elif request == self.request:
                self._take(data[at + 1], data[start:stop], events)
            elif data[at + 1] == BEGIN_REQUEST:
                self._begin(request, data[start:stop])
            at = following
        if at < end:
            self._wanted = 8
            self._held += data[at:]
        return events

    def replies(self) -> bytes:
        """Return replies to send now, outside any request (mostly b""). Each is returned once."""
        replies = self._replies
        self._replies = b""
        return replies

    def output(self, request: int, data: bytes) -> bytes:
        """Return `data` as records of standard output; b"" for b"", which would be its end."""
        return _stream(STDOUT, request, data)

    def pieces(self, request: int, data: bytes | memoryview) -> list[bytes | memoryview]:
        """Return the same as `output` in pieces, to be sent in order: `data` is not copied."""
        return _pieces(STDOUT, request, data)

    def errors(self, request: int, data: bytes) -> bytes:
        """Return `data` as records of standard error, which the web server writes to its log."""
        if not data:
            return b""
        self._erred = True
        return _stream(STDERR, request, data)

    def finish(self, request: int, status: int = 0, output: bytes = b"") -> bytes:
        """Return the last `output`, the ends of the streams, and the request's end with its status.

        Raises `ValueError` if the request is not open.
        """
        self._close(request)
        high, low = request >> 8, request & 255
        size = len(output)
        end = bytes((
            1, STDOUT, high, low, 0, 0, 0, 0,
            1, END_REQUEST, high, low, 0, 8, 0, 0,
            status >> 24 & 255, status >> 16 & 255, status >> 8 & 255, status & 255,
            REQUEST_COMPLETE, 0, 0, 0,
        ))  # fmt: skip
        if self._erred:
            end = _record(STDERR, request, b"") + end
        if 0 < size <= _MAX_CONTENT:
            head = bytes((1, STDOUT, high, low, size >> 8, size & 255, -size & 7, 0))
            return b"".join((head, output, bytes(-size & 7), end))
        return _stream(STDOUT, request, output) + end

    def refuse(self, request: int) -> bytes:
        """Return the end of a request that cannot be answered now (FCGI_OVERLOADED).

        Raises `ValueError` if the request is not open.
        """
        self._close(request)
        return _ended(request, OVERLOADED)

    def _close(self, request: int) -> None:
        if not request or request != self.request:
            raise ValueError(f"request {request} is not open on this connection")
        self.request = 0

    def _begin(self, request: int, content: bytes) -> None:
        if len(content) != 8:
            raise WireError(f"a BEGIN_REQUEST has {len(content)} bytes, not 8")
        if self.request:
            self._reply(_ended(request, CANT_MPX_CONN))
            return
        self.keep = bool(content[2] & KEEP_CONN)
        if content[0] or content[1] != RESPONDER:
            self._reply(_ended(request, UNKNOWN_ROLE))
            return
        self.request = request
        self._params = b""
        self._ready = self._aborted = self._erred = False

    def _take(self, kind: int, content: bytes, events: "list[Event]") -> None:
        """Handle a record of the open request."""
        if kind == PARAMS and self._params is not None:
            if content:
                self._more(content)
            else:
                events.append(RequestStarted(self.request, parse_variables(bytes(self._params))))
                self._params = None
        elif kind == STDIN and self._params is None:
            if not self._ready and not self._aborted:
                self._ready = not content
                events.append(BodyPiece(self.request, content))
        elif kind == ABORT_REQUEST:
            if self._params is not None:
                # No event has announced this request, so nobody else would end it
                self._reply(self.finish(self.request))
            elif not self._aborted:
                self._aborted = True
                events.append(Aborted(self.request))
        else:
            raise WireError(f"a record of type {kind} is not allowed at this point of a request")

    def _more(self, content: bytes) -> None:
        """Add a piece of the variables, which most servers send in one."""
        if not self._params:
            self._params = content
            return
        if not isinstance(self._params, bytearray):
            self._params = bytearray(self._params or b"")
        self._params += content
        if len(self._params) > MAX_VARIABLES_SIZE:
            raise WireError(f"the variables of a request exceed {MAX_VARIABLES_SIZE} bytes")

    def _manage(self, kind: int, content: bytes) -> None:
        """Answer a management record (section 4)."""
        if kind != GET_VALUES:
            self._reply(_record(UNKNOWN_TYPE, 0, bytes((kind, 0, 0, 0, 0, 0, 0, 0))))
            return
        known = {
            "FCGI_MAX_CONNS": str(self._connections),
            "FCGI_MAX_REQS": str(self._requests),
            "FCGI_MPXS_CONNS": "0",
        }
        asked = parse_variables(content)
        found = {name: known[name] for name in asked if name in known}
        self._reply(_record(GET_VALUES_RESULT, 0, build_variables(found)))

    def _reply(self, data: bytes) -> None:
        self._replies += data
        if len(self._replies) > _MAX_REPLIES:
            raise WireError(f"more than {_MAX_REPLIES} bytes of replies are waiting to be read")


def parse_variables(raw: bytes) -> dict[str, str]:
    """Return the name-value pairs in `raw` (section 3.4). The inverse of `build_variables`.

    Repeated names are merged by `wire.merged`. Raises `WireError` for a pair that is cut off, for more
    than 1,024 pairs, and for values that no environment can hold.
    """
    text = raw.decode("latin-1")  # once for all: slicing a str costs less than decoding each piece
    pairs = []
    at, end = 0, len(raw)
    try:
        while at < end:
            name = raw[at]
            at += 1
            if name > 127:
                name = (name & 127) << 24 | raw[at] << 16 | raw[at + 1] << 8 | raw[at + 2]
                at += 3
            value = raw[at]
            at += 1
            if value > 127:
                value = (value & 127) << 24 | raw[at] << 16 | raw[at + 1] << 8 | raw[at + 2]
                at += 3
            middle = at + name
            at = middle + value
            pairs.append((text[middle - name : middle], text[middle:at]))
    except IndexError:
        at = end + 1  # in the middle of a length
    if at != end:
        raise WireError("the variables end inside a name-value pair")
    if len(pairs) > MAX_VARIABLES:
        raise WireError(f"the request has {len(pairs)} variables, more than {MAX_VARIABLES}")
    variables = dict(pairs)
    return checked(variables if len(variables) == len(pairs) else merged(pairs))


def build_variables(variables: dict[str, str]) -> bytes:
    """Return variables as name-value pairs (section 3.4). The inverse of `parse_variables`."""
    from os import fsencode

    pieces = []
    for pair in variables.items():
        encoded = [fsencode(text) for text in pair]
        for text in encoded:
            size = len(text)
            short = size < 128
            pieces.append(bytes((size,)) if short else (size | 1 << 31).to_bytes(4, "big"))
        pieces += encoded
    return b"".join(pieces)


def _record(kind: int, request: int, content: bytes) -> bytes:
    size = len(content)
    return b"".join((_head(kind, request, size), content, bytes(-size & 7)))


def _head(kind: int, request: int, size: int) -> bytes:
    """Return the head of a record that is padded to 8 bytes."""
    return bytes((1, kind, request >> 8, request & 255, size >> 8, size & 255, -size & 7, 0))


def _stream(kind: int, request: int, data: bytes) -> bytes:
    """Return `data` as records of the largest possible size; no record for no data."""
    if len(data) <= _MAX_CONTENT:
        return _record(kind, request, data) if data else b""
    return b"".join(_pieces(kind, request, data))


def _pieces(kind: int, request: int, data: bytes | memoryview) -> list[bytes | memoryview]:
    """Return the pieces of `_stream`: each head, followed by its content."""
    whole, last = divmod(len(data), _MAX_CONTENT)
    view = memoryview(data)
    pieces: list[bytes | memoryview] = []
    if whole:
        head = _head(kind, request, _MAX_CONTENT)
        for at in range(0, whole * _MAX_CONTENT, _MAX_CONTENT):
            pieces += (head, view[at : at + _MAX_CONTENT])
    if last:
        pieces += (_head(kind, request, last), view[-last:], bytes(-last & 7))
    return pieces


def _ended(request: int, status: int) -> bytes:
    return _record(END_REQUEST, request, bytes((0, 0, 0, 0, status, 0, 0, 0)))
