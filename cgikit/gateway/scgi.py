"""SCGI: a netstring of variables and a body in, an answer out.

Implements "SCGI: A Simple Common Gateway Interface alternative" (Neil Schemenauer, 2008): one request
per connection, and the answer is the script's output, unchanged. The events and methods are those of
`fastcgi.py`, so one loop serves both. This module has no sockets.
"""

from .wire import (
    MAX_VARIABLES,
    MAX_VARIABLES_SIZE,
    BodyPiece,
    RequestStarted,
    WireError,
    checked,
    merged,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .wire import Event

_MAX_SIZE_DIGITS = len(str(MAX_VARIABLES_SIZE))
_REQUEST = 1  # the one request of a connection
_MAX_LENGTH_DIGITS = 18  # of the body: no limit is near 10**18


class SCGI:
    """One connection, seen from the application. Feed it the bytes received, send what it returns.

    `.keep` is always False: the end of the connection ends the answer. `.request` is 1 while the
    request is open, 0 before its variables have come and after `finish`.
    """

    __slots__ = ("_done", "_held", "_left", "keep", "request")

    def __init__(self) -> None:
        self.keep = False
        self.request = 0
        self._held: bytearray | None = bytearray()  # the variables so far; None: all have come
        self._left = 0  # bytes of the body that are still to come
        self._done = False

    @property
    def complete(self) -> bool:
        """Whether the whole request was received."""
        return self._done

    @property
    def is_idle(self) -> bool:
        """Whether the connection is between two requests: never, since it has only one."""
        return False

    def receive(self, data: bytes) -> "list[Event]":
        """Return the events in `data`, the next bytes: `RequestStarted`, then `BodyPiece`.

        The events do not depend on how the bytes are cut, except for where a body is cut. Raises
        `WireError`, also for bytes after the body: the peer then means another length.
        """
        if self._held is None:
            return self._body(data)
        self._held += data
        colon = self._held.find(b":", 0, _MAX_SIZE_DIGITS + 1)
        if colon < 0:
            _check_size(bytes(self._held[: _MAX_SIZE_DIGITS + 1]))
            if len(self._held) > _MAX_SIZE_DIGITS:
                raise WireError(f"the variables exceed {MAX_VARIABLES_SIZE} bytes")
            return []
        size = _check_size(bytes(self._held[:colon]))
        if not size:
            raise WireError("the request has no variables")
        if size > MAX_VARIABLES_SIZE:
            raise WireError(f"the variables have {size} bytes, more than {MAX_VARIABLES_SIZE}")
        end = colon + 1 + size
        if len(self._held) <= end:
            return []
        if self._held[end] != 44:
            raise WireError("the variables do not end with a comma")
        variables = parse_variables(bytes(self._held[colon + 1 : end]))
        rest = bytes(self._held[end + 1 :])
        self._held = None
        self._left = int(variables["CONTENT_LENGTH"])
        self.request = _REQUEST
        return [RequestStarted(_REQUEST, variables), *self._body(rest)]

    def replies(self) -> bytes:
        """Return b"": SCGI has no replies outside the request."""
        return b""

    def pieces(self, request: int, data: bytes | memoryview) -> list[bytes | memoryview]:
        """Return `data` unchanged as the only piece; none for b""."""
        return [data] if data else []

    def errors(self, request: int, data: bytes) -> bytes:
        """Return b"": SCGI cannot carry standard error."""
        return b""

    def finish(self, request: int, status: int = 0, output: bytes = b"") -> bytes:
        """Return the last `output`; the end of the connection ends the answer.

        Raises `ValueError` if the request is not open.
        """
        if not request or request != self.request:
            raise ValueError(f"request {request} is not open on this connection")
        self.request = 0
        return output

    def refuse(self, request: int) -> bytes:
        """Return b"": SCGI can only close the connection.

        Raises `ValueError` if the request is not open.
        """
        return self.finish(request)

    def _body(self, data: bytes) -> "list[Event]":
        if len(data) > self._left:
            raise WireError(f"{len(data) - self._left} or more bytes follow the body")
        self._left -= len(data)
        events: list[Event] = [BodyPiece(_REQUEST, data)] if data else []
        if not self._left and not self._done:
            self._done = True
            events.append(BodyPiece(_REQUEST, b""))
        return events


def parse_variables(raw: bytes) -> dict[str, str]:
    """Return the variables in `raw`, the inside of the netstring. The inverse of `build_variables`.

    CONTENT_LENGTH must come first and consist of digits, SCGI must be 1, and only names of header
    fields may be repeated (see `wire.merged`). Raises `WireError`.
    """
    if raw[-1:] != b"\0":
        raise WireError("the variables do not end with NUL")
    pieces = raw[:-1].decode("latin-1").split("\0")
    if len(pieces) % 2:
        raise WireError("the last variable has no value")
    if len(pieces) > 2 * MAX_VARIABLES:
        raise WireError(f"the request has {len(pieces) // 2} variables, more than {MAX_VARIABLES}")
    names = pieces[::2]
    variables = dict(zip(names, pieces[1::2], strict=True))
    if len(variables) < len(names):
        if twice := {name for name in names if names.count(name) > 1 and name[:5] != "HTTP_"}:
            raise WireError(f"the variable {min(twice)[:100]!r} is repeated")
        variables = merged(zip(names, pieces[1::2], strict=True))
    length = pieces[1]
    if names[0] != "CONTENT_LENGTH" or not (length.isascii() and length.isdigit()):
        raise WireError("the variables do not begin with a CONTENT_LENGTH in digits")
    if len(length) > _MAX_LENGTH_DIGITS:
        raise WireError(f"CONTENT_LENGTH has {len(length)} digits, more than {_MAX_LENGTH_DIGITS}")
    if variables.get("SCGI") != "1":
        raise WireError("no variable SCGI with the value 1")
    return checked(variables)


def build_variables(variables: dict[str, str]) -> bytes:
    """Return variables as the inside of a netstring. The inverse of `parse_variables`.

    CONTENT_LENGTH and SCGI come first whatever their place; they are 0 and 1 where they are missing.
    """
    from os import fsencode

    first = {"CONTENT_LENGTH": variables.get("CONTENT_LENGTH") or "0", "SCGI": "1"}
    pairs = {**first, **variables, **first}
    return b"".join([fsencode(f"{name}\0{value}\0") for name, value in pairs.items()])


def encode_request(variables: dict[str, str], body: bytes) -> bytes:
    """Return a whole request, as a web server sends it (bytes), with the CONTENT_LENGTH of `body`."""
    inside = build_variables({**variables, "CONTENT_LENGTH": str(len(body))})
    return b"%d:%b,%b" % (len(inside), inside, body)


def _check_size(digits: bytes) -> int:
    """Return the size at the beginning of a netstring, whose digits may have been received in part."""
    if not digits:
        return 0
    if not digits.isdigit() or (digits[0] == 48 and len(digits) > 1):
        raise WireError(f"{digits!r} is not the length of a netstring")
    return int(digits)
