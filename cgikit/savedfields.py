"""Reads and writes the fields of a request in the file format of CGI.pm (`save`, `new(FILEHANDLE)`).

A record is one line `name=value` for each field, percent-encoded, and a line `=` at its end; a file can
hold several. The words of an ISINDEX query are lines without `=`. This module turns records into bytes
and back. `Request.save` and `Request.load` decide which fields are saved.
"""

import io

from . import process
from .querystring import parse, unquote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import BinaryIO

    from .limits import Limits
    from .multidict import MultiDict

END = b"=\n"
# Those of RFC 3986 section 2.3, which CGI.pm also writes as they are
_UNRESERVED = frozenset(b"-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
_PIECE = 65_536  # bytes
_MAX_SKIPPED = 1 << 30  # bytes of a record over the limits: a device has no end


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
    counted without the escapes, and `StorageError` if the file ends inside a record. After
    `LimitExceeded` the file stands behind the record.
    """
    lines: list[bytes] = []
    seen = 0
    while True:
        # An escape is three bytes. Two more: "=" alone is then the end of the file, never of a piece.
        line = file.readline(3 * (limits.memory - seen) + len(END))
        if not isinstance(line, bytes):
            raise _text_file(file, "rb")
        if line in (END, b"="):
            break
        if not line:
            if not seen:
                return None
            raise _cut(file, lines)
        seen += len(unquote(line))
        if line.strip():
            lines.append(line.rstrip(b"\n"))
        if seen > limits.memory or len(lines) > limits.fields:
            _skip(file, line)
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


def check_size(saved: bytes, limits: "Limits") -> None:
    """Raise `LimitExceeded` for a record that `read` would refuse with these limits."""
    own = saved.removesuffix(END)
    _check(limits, len(own) - 2 * own.count(b"%"), own.count(b"\n"))


def append(file: "BinaryIO", saved: bytes) -> None:
    """Write all of a record, and flush; or, where the file can be truncated, nothing of it.

    Raises `StorageError` for a file whose last record has no end. This is only seen in a file that is
    open for appending and reading ("a+b").
    """
    raw = getattr(file, "raw", file)
    if not isinstance(raw, io.FileIO) or not raw.seekable():
        process.write(file, saved)
        return
    file.flush()
    try:
        # Not through the buffer: that would keep the rest of a record, and write it when it is closed.
        _write(raw, _missing_end(file, raw) + saved)
    finally:
        if raw is not file:  # so that the buffer knows where the file stands
            here = raw.tell()
            file.seek(0, io.SEEK_END)
            file.seek(here)


def _write(raw: io.FileIO, saved: bytes) -> None:
    done, start = 0, -1
    try:
        while done < len(saved):
            done += raw.write(memoryview(saved)[done:])
            start = raw.tell() - done if start < 0 else start
    except BaseException:
        end = raw.tell()
        # Without a lock, another process may have written after it.
        if done and end - done == start and raw.seek(0, io.SEEK_END) == end:
            try:
                raw.truncate(start)
            except OSError:
                pass  # a file that can only grow: the first error is the one that says why
        raise


def _missing_end(file: "BinaryIO", raw: io.FileIO) -> bytes:
    """Return the line break that is missing at the end of a file (bytes), if its last line is "="."""
    if raw.mode != "ab+":
        return b""
    raw.seek(max(raw.seek(0, io.SEEK_END) - _PIECE, 0))
    last = raw.read(_PIECE)
    if not last or (b"\n" + last).endswith(b"\n" + END):
        return b""
    if (b"\n" + last).endswith(b"\n="):
        return b"\n"
    raise _cut(file, last.removesuffix(b"\n").split(b"\n"))


def _skip(file: "BinaryIO", line: bytes) -> None:
    """Read on to the end of the record that `line` belongs to: its rest is not a record of its own."""
    left = _MAX_SKIPPED
    while left > 0:
        whole = line.endswith(b"\n")
        line = file.readline(_PIECE)
        if not line or (whole and line in (END, b"=")):
            return
        left -= len(line)


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
