"""The events of a connection, the same for both protocols, and the error of a malformed request.

`fastcgi.py` and `scgi.py` decide how they follow from bytes. These are plain classes with slots: a
named tuple takes 1.5 times as long to define, twice as long to make, and an import.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

# Bytes of the names and values of one request's variables. Twice the longest query that `Limits` allows
# (it is in QUERY_STRING and in REQUEST_URI), and 128 KiB for the rest. nginx accepts 32 KiB of header
# fields, lighttpd 64 KiB; httpd could accept 800 KiB in a hundred fields of 8 KiB, which nobody sends.
MAX_VARIABLES_SIZE = 262_144
MAX_VARIABLES = 1_024  # httpd accepts 100 header fields and adds some 40 variables


class WireError(ValueError):
    """The peer has violated the protocol: nothing after that can be parsed; close the connection.

    The message is for the log, and says what was wrong: the peer gets no answer.
    """


class Event:
    """Base of the events. They are equal if all their attributes are."""

    __slots__ = ("request",)

    def __init__(self, request: int) -> None:
        self.request = request

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return self._values() == other._values()

    __hash__ = None  # type: ignore[assignment]  # a request's variables are a dict

    def __repr__(self) -> str:
        return f"{type(self).__name__}{self._values()!r}"

    def _values(self) -> tuple[object, ...]:
        own: Iterable[str] = type(self).__slots__
        return self.request, *[getattr(self, name) for name in own]


class RequestStarted(Event):
    """The variables of a request have been received; its body follows. `.request` is its number on this
    connection (int), `.variables` a dict of str, decoded as by `os.fsdecode`.
    """

    __slots__ = ("variables",)

    def __init__(self, request: int, variables: dict[str, str]) -> None:
        self.request = request
        self.variables = variables


class BodyPiece(Event):
    """A piece of the request's body in `.data` (bytes); b"" is the end of the body."""

    __slots__ = ("data",)

    def __init__(self, request: int, data: bytes) -> None:
        self.request = request
        self.data = data


class Aborted(Event):
    """The client has disconnected. The request must still be ended, but nobody reads its answer."""

    __slots__ = ()


def merged(pairs: "Iterable[tuple[str, str]]") -> dict[str, str]:
    """Return variables by name (dict), with repeated names merged (RFC 3875 section 4.1.18).

    Repeated header fields are joined: nginx before 1.23 sends them one by one. Of other variables the
    last one counts, which is how a line of nginx's configuration overrides one of an included file.
    """
    variables: dict[str, str] = {}
    for name, value in pairs:
        if name in variables and name.startswith("HTTP_"):
            joint = "; " if name == "HTTP_COOKIE" else ", "
            value = variables[name] + joint + value
        variables[name] = value
    return variables


def checked(variables: dict[str, str]) -> dict[str, str]:
    """Return variables that were decoded as ISO-8859-1, decoded as by `os.fsdecode` instead.

    Raises `WireError` for what no environment can hold: an empty name, "=" in a name, NUL. No web
    server sends that, and two programs would read it in two ways.
    """
    names = "".join(variables)
    values = "".join(variables.values())
    if "=" in names or "" in variables or "\0" in names or "\0" in values:
        raise WireError("a variable contains NUL, or its name is empty or contains '='")
    if names.isascii() and values.isascii():
        return variables
    return {native(name): native(value) for name, value in variables.items()}


def native(latin1: str) -> str:
    """Return text in the form that `os` functions expect: the same bytes, decoded as file names are.

    `latin1` is text that HTTP, WSGI or a codec decoded as ISO-8859-1, one character for each byte.
    `UnicodeEncodeError` if it is not such text. The inverse is `os.fsencode`, which returns the bytes.
    """
    if latin1.isascii():
        return latin1
    from os import fsdecode

    return fsdecode(latin1.encode("latin-1"))
