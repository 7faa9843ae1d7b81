"""Standard input of a script on the command line: fields that are typed there, or a whole body."""

import sys

from .. import process
from ..errors import reason_of
from ..limits import DEFAULT_LIMITS
from .usage import Misuse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Readable(Protocol):
        """What bytes are read from."""

        def read(self, size: int, /) -> bytes | None:
            """Read at most `size` bytes."""


_PIECE = 65_536
_MAX_BODY = 1 << 30  # bytes; stops an endless device
_PROMPT = "(enter fields, one NAME=VALUE a line; end with Ctrl-D)\n"


def lines() -> list[str]:
    """Return the lines of standard input (list of str), without empty ones. At a terminal, a prompt
    says what is expected.
    """
    if sys.stdin is not None and sys.stdin.isatty():
        process.write_log(_PROMPT)
    raw = _read(process.stdin(), "standard input", DEFAULT_LIMITS.memory)
    text = raw.decode("utf-8", "surrogateescape")
    return [line for line in text.replace("\r\n", "\n").split("\n") if line]


def whole() -> bytes:
    """Return all of standard input."""
    return _read(process.stdin(), "standard input", _MAX_BODY)


def of_file(path: str) -> bytes:
    """Return the content of a file, which may also be a pipe, as in `@<(command)`."""
    try:
        with open(path, "rb", buffering=0) as file:
            return _read(file, repr(path), _MAX_BODY)
    except OSError as error:
        raise Misuse(
            f"{path!r} cannot be read: {reason_of(error)}; give a file after the @"
        ) from None


def _read(file: "Readable", name: str, most: int) -> bytes:
    pieces = []
    seen = 0
    while data := file.read(_PIECE):
        pieces.append(data)
        seen += len(data)
        if seen > most:
            raise Misuse(f"{name} has more than {most} bytes; give less")
    return b"".join(pieces)
