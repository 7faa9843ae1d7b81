"""What happens on a connection, in the same words for both protocols, and what can be wrong on it.

Only the words: how they come out of bytes is decided in `fastcgi.py` and `scgi.py`. Plain classes
with slots: a named tuple takes half as long again to define, twice as long to make, and an import.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

# Meta-variables of one request, names and values, in bytes. Twice the longest query that `Limits`
# allows (it comes in QUERY_STRING and in REQUEST_URI), and 128 KiB for the rest. nginx takes 32 KiB of
# header fields, lighttpd 64 KiB; httpd could take 800 KiB in a hundred fields of 8 KiB, nobody does.
MAX_VARIABLES_SIZE = 262_144
MAX_VARIABLES = 1_024  # httpd takes 100 header fields and adds some 40 variables of its own


class WireError(ValueError):
    """The peer does not speak the protocol: nothing more can be understood, close the connection.

    The message says what was wrong, for the log: there is nobody to answer.
    """


class Event:
    """Base of the events: equal when they say the same of the same request."""

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
    """A request whose meta-variables are known; its body follows. `.request` is its number on this
    connection (int), `.variables` a dict of str as `os.fsdecode` makes them.
    """

    __slots__ = ("variables",)

    def __init__(self, request: int, variables: dict[str, str]) -> None:
        self.request = request
        self.variables = variables


class BodyPiece(Event):
    """A piece of the body in `.data` (bytes); b"" is the end of the body."""

    __slots__ = ("data",)

    def __init__(self, request: int, data: bytes) -> None:
        self.request = request
        self.data = data


class Aborted(Event):
    """The client went away: the answer, which is still owed to the peer, is for nobody."""

    __slots__ = ()


def merged(pairs: "Iterable[tuple[str, str]]") -> dict[str, str]:
    """Return variables by name, where some came twice (RFC 3875 section 4.1.18).

    Header fields are joined into one: nginx before 1.23 sends them one by one. Of other variables the
    last counts, which is how nginx's configuration overrides one of an included file.
    """
    variables: dict[str, str] = {}
    for name, value in pairs:
        if name in variables and name.startswith("HTTP_"):
            joint = "; " if name == "HTTP_COOKIE" else ", "
            value = variables[name] + joint + value
        variables[name] = value
    return variables


def checked(variables: dict[str, str]) -> dict[str, str]:
    """Return variables that were decoded as ISO-8859-1 as `os.fsdecode` would have made them.

    Raises `WireError` for what no environment can hold: an empty name, "=" in a name, NUL. No server
    sends it, and no two readers of it would agree.
    """
    names = "".join(variables)
    values = "".join(variables.values())
    if "=" in names or "" in variables or "\0" in names or "\0" in values:
        raise WireError("a variable holds NUL, or its name is empty or holds '='")
    if names.isascii() and values.isascii():
        return variables
    return {native(name): native(value) for name, value in variables.items()}


def native(latin1: str) -> str:
    """Return text as `os` functions want it: the same bytes, decoded as file names are.

    `latin1` is text that HTTP, WSGI or a codec made of bytes, a character for each: ISO-8859-1.
    `UnicodeEncodeError` if it is not such text. The inverse is `os.fsencode`, which gives the bytes.
    """
    if latin1.isascii():
        return latin1
    from os import fsdecode

    return fsdecode(latin1.encode("latin-1"))
