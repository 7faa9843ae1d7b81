"""Reads and writes the fields of a request in the file format of CGI.pm (`save`, `new(FILEHANDLE)`).

A record is one line `name=value` for each field, percent-encoded, and a line `=` at its end; a file can
hold several. The words of an ISINDEX query are lines without `=`. This module turns records into bytes
and back. `Request.save` and `Request.load` decide which fields are saved.
"""

from .querystring import parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import BinaryIO

    from .limits import Limits
    from .multidict import MultiDict

END = b"=\n"
# Those of RFC 3986 section 2.3, which CGI.pm also writes as they are
_UNRESERVED = frozenset(b"-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")


def record(fields: "Iterable[tuple[str, str]]") -> bytes:
    """Return fields as a record (bytes); the inverse is `read`. Text is written as UTF-8.

    A field that has neither a name nor a value is left out, as in CGI.pm: its line would be the end.
    """
    lines = [b"%b=%b\n" % (_quoted(name), _quoted(value)) for name, value in fields]
    return b"".join([line for line in lines if line != END]) + END


def record_of_words(words: "Iterable[str]") -> bytes:
    """Return the words of an ISINDEX query as a record (bytes)."""
    return b"".join([_quoted(word) + b"\n" for word in words]) + END


def read(
    file: "BinaryIO", limits: "Limits", errors: str = "replace", codec: str = "utf-8"
) -> "tuple[str, MultiDict] | None":
    """Read the next record of a file, and return it as a query string and its fields, or None at the
    end of the file. The inverse is `record`.

    Raises `LimitExceeded` for a record with more than `limits.fields` lines or `limits.memory` bytes,
    and `StorageError` if the file ends inside a record.
    """
    lines: list[bytes] = []
    seen = 0
    while True:
        line = file.readline(limits.memory - seen + 1)
        if not isinstance(line, bytes):
            raise _text_file(file, "rb")
        if line in (END, b"="):
            break
        if not line:
            if not seen:
                return None
            raise _cut(file, lines)
        seen += len(line)
        if line.strip():
            lines.append(line.rstrip(b"\n"))
        _check(limits, seen, len(lines))
    # A record of words has no "=", because they are encoded.
    words = not any(b"=" in line for line in lines)
    query = (b"+" if words else b"&").join(lines)
    text = query.decode("utf-8", "surrogateescape")
    return text, parse(query, errors=errors, limits=limits, codec=codec)


def check_writable(file: "BinaryIO") -> None:
    """Raise `TypeError` for a file that takes text."""
    if hasattr(file, "encoding"):
        raise _text_file(file, "ab")


def _check(limits: "Limits", size: int, count: int) -> None:
    for name, allowed, seen in (
        ("memory", limits.memory, size),
        ("fields", limits.fields, count),
    ):
        if seen > allowed:
            from .errors import LimitExceeded

            raise LimitExceeded(name, allowed, seen)


def _cut(file: "BinaryIO", lines: list[bytes]) -> Exception:
    from .errors import StorageError

    found = f"the line {lines[-1][:60]!r}" if lines else "an empty line"
    return StorageError(
        str(getattr(file, "name", "the file")),
        f"it ends inside a record, after {found}; a record ends with a line '='. Complete or remove "
        "this record, and check whether the disk is full and whether scripts lock the file",
    )


def _text_file(file: object, mode: str) -> TypeError:
    name = getattr(file, "name", None)
    found = "the file" if name is None else repr(name)
    return TypeError(f"{found} is open for text; open it for bytes: open(path, {mode!r})")


def _quoted(text: str) -> bytes:
    raw = text.encode("utf-8", "surrogateescape")
    return b"".join([b"%c" % b if b in _UNRESERVED else b"%%%02X" % b for b in raw])
