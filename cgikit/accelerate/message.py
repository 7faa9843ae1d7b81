"""What a front tells the child that is to be its script: one message, in bytes.

Its length, four bytes; then fields, each ended by NUL, which none of them can hold: the version of
this protocol, the script's path, the working directory, the umask, how many arguments, each of these;
then the environment, byte for byte as it was in the front's process (environ(7)). Pure.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

VERSION = b"cgikit 1"
HEAD = 4  # bytes
#: Bytes of a message. A socket takes it in one piece (net.core.wmem_default is 208 KiB), or the script
#: is run directly.
MOST = 1 << 18
_BEFORE = 5  # fields before the arguments


class Message:
    """A request as its front has told it: paths and values are bytes, as the system has them."""

    __slots__ = ("arguments", "directory", "names", "script", "umask", "values")

    def __init__(
        self,
        script: bytes,
        directory: bytes,
        umask: int,
        arguments: "list[bytes]",
        names: "list[bytes]",
        values: "list[bytes]",
    ) -> None:
        self.script = script
        self.directory = directory
        self.umask = umask
        self.arguments = arguments
        self.names = names
        self.values = values


def pack(
    script: bytes,
    directory: bytes,
    umask: int,
    arguments: "Iterable[bytes]",
    environment: bytes,
) -> bytes:
    """Return a whole message. `environment` is a block as in /proc/self/environ. Inverse: `unpack`."""
    words = list(arguments)
    fields = [VERSION, script, directory, b"%d" % umask, b"%d" % len(words), *words]
    data = b"".join([field + b"\0" for field in fields]) + environment
    return len(data).to_bytes(HEAD, "big") + data


def size_of(head: bytes) -> int:
    """Return how many bytes follow the first `HEAD`. `ValueError` if no front would send so many."""
    size = int.from_bytes(head, "big")
    if size > MOST:
        raise ValueError(f"a message of {size} bytes is longer than the longest, {MOST}")
    return size


def unpack(data: bytes) -> Message:
    """Return what a message says, without its head. `ValueError` if it is not one. Inverse: `pack`.

    Of a variable that is there twice the first counts, as in Python; what has no name is not a
    variable.
    """
    fields = data.split(b"\0")
    if fields.pop() or len(fields) < _BEFORE or fields[0] != VERSION:
        raise ValueError("the message is not one of this version's fronts")
    umask, count = _number(fields[3]), _number(fields[4])
    arguments, entries = fields[_BEFORE : _BEFORE + count], fields[_BEFORE + count :]
    if len(arguments) != count:
        raise ValueError("the message has fewer arguments than it says")
    found: dict[bytes, bytes] = {}
    for entry in entries:
        name, equals, value = entry.partition(b"=")
        if name and equals:
            found.setdefault(name, value)
    return Message(fields[1], fields[2], umask, arguments, list(found), list(found.values()))


def _number(field: bytes) -> int:
    if not field.isdigit() or len(field) > 9:
        raise ValueError(f"{field[:20]!r} in the message is not a number")
    return int(field)
