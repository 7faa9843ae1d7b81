"""Files as answers: validators, conditions and ranges (RFC 9110 sections 8.8, 13 and 14).

This module decides, from a file's size and time and a request's header fields, which status, fields
and bytes the answer has. The decision is pure; only opening and reading the file touch the system. The
script chooses the file: a path that comes from a request must be checked before.
"""

import errno
import os

from .process import absolute
from .regularfile import open_regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import BinaryIO

    from .headers import Headers

_CHUNK = 262_144
# Suffixes that servers add to an entity tag: Apache's mod_deflate and mod_brotli, lighttpd, Caddy.
_CODINGS = frozenset(('gzip"', 'br"', 'zstd"', 'deflate"', 'bzip2"', 'compress"'))
_MISSING = frozenset((errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG))
_MAX_SENDFILE = 1 << 30  # bytes for one call of sendfile; the kernel stops below 2 GiB


class FileBody:
    """An open file, and the part of it that is sent. Iterating yields the bytes and closes the file."""

    def __init__(self, path: "str | os.PathLike[str]") -> None:
        """Open `path` for reading. Raises `MissingFile`, a `FileNotFoundError`, if there is no file of
        that name, and `OSError` if it cannot be opened. For a FIFO, a socket or a device the error is
        an `OSError` and a `ValueError`.
        """
        self.path = absolute(path)
        fd = _open(self.path)
        status = os.fstat(fd)
        self.file: BinaryIO = open(fd, "rb", buffering=0)  # noqa: SIM115 -- closed by the reader
        self.size = status.st_size
        self.modified, self._mtime = int(status.st_mtime), status.st_mtime_ns
        self.etag = f'"{status.st_mtime_ns:x}-{status.st_size:x}"'
        self.start, self.length = 0, self.size

    def select(
        self, method: str, status: int, headers: "Mapping[str, str]"
    ) -> tuple[int, list[tuple[str, str]]]:
        """Choose the status and fields for a request, and what part of the file is sent.

        `headers` are the request's. A status other than 200 is returned unchanged: conditions and
        ranges apply only to 200 (RFC 9110 sections 13.2.1 and 14.2).
        """
        from time import time

        from .dates import format_http_date

        # A date in the future comes from another clock. A client with a copy of that date would not
        # notice a change of the file until then (RFC 9110 section 8.8.2.1).
        last_modified = min(self.modified, int(time()))
        fields = [("Last-Modified", format_http_date(last_modified)), ("ETag", self.etag)]
        if status != 200 or method not in {"GET", "HEAD"}:
            return status, fields
        status = evaluate(headers, self.etag, self.modified)
        if status != 200:
            self.length = 0
            return status, fields
        fields.append(("Accept-Ranges", "bytes"))
        wanted = headers.get("Range")
        if method == "GET" and wanted and self._unchanged(headers.get("If-Range")):
            chosen = parse_range(wanted, self.size)
            if chosen is not None:
                self.start, self.length = chosen
                if not self.length:
                    return 416, [*fields, ("Content-Range", f"bytes */{self.size}")]
                last = self.start + self.length - 1
                return 206, [*fields, ("Content-Range", f"bytes {self.start}-{last}/{self.size}")]
        return 200, fields

    def _unchanged(self, condition: str | None) -> bool:
        """Evaluate If-Range: does the client have this version of the file (section 13.1.5)?"""
        if condition is None:
            return True
        if condition.startswith('"'):
            return condition == self.etag
        from time import time

        from .dates import parse_http_date

        return parse_http_date(condition) == self.modified and is_strong(self.modified, time())

    def __iter__(self) -> "Iterator[bytes]":
        with self.file as file:
            file.seek(self.start)
            left = self.length
            while left > 0:
                data = file.read(min(_CHUNK, left))
                if not data:
                    # The length was announced already: an answer that ends early tells the client so.
                    raise OSError("the file became shorter while it was being sent")
                left -= len(data)
                yield data

    def write_to(self, out: "BinaryIO") -> None:
        """Write what iterating yields to `out`, which is flushed before and after, and close the file.

        If `out` is a plain file, the kernel copies the bytes (sendfile).
        """
        from .process import write

        sent = self._hand_over(out)
        self.start, self.length = self.start + sent, self.length - sent
        for data in self:
            write(out, data)

    def _hand_over(self, out: "BinaryIO") -> int:
        """Let the kernel copy as much as it can; return the number of bytes."""
        from io import BufferedWriter, FileIO

        # Exactly these types: a file that compresses, say, may have the descriptor it writes to.
        raw = out.raw if type(out) is BufferedWriter else out
        if type(raw) is not FileIO or not hasattr(os, "sendfile"):
            return 0
        source, target, sent = self.file.fileno(), raw.fileno(), 0
        try:
            while part := min(_MAX_SENDFILE, self.length - sent):
                done = os.sendfile(target, source, self.start + sent, part)
                if not done:
                    break  # the file has become shorter: reading it will raise the error
                sent += done
        except OSError:
            if sent:
                raise
        return sent  # 0 if the system or the file system cannot do it

    def has_changed(self) -> bool:
        """Return whether the file was written to, or truncated, since it was opened."""
        now = os.fstat(self.file.fileno())
        return (now.st_mtime_ns, now.st_size) != (self._mtime, self.size)

    def close(self) -> None:
        """Close the file; iterating to the end does it as well."""
        self.file.close()


def _open(path: "str | os.PathLike[str]") -> int:
    """Open a file that a visitor may have named: if no file can have that name, it is missing too."""
    try:
        return open_regular(path, follow=True)
    except (OSError, ValueError) as error:
        number, reason = errno.ENOENT, str(error)  # NUL, or a character that names cannot have here
        if isinstance(error, OSError):
            if error.errno not in _MISSING:
                raise
            number, reason = error.errno, error.strerror or ""
    from .errors import MissingFile

    raise MissingFile(number, reason, os.fspath(path))


def opened(
    path: "str | os.PathLike[str]", headers: "Headers", x_sendfile: bool, internal: str | None
) -> FileBody | None:
    """Return a file to be sent, or None if the server is to send it: `headers` then tell it so. Raises
    what `FileBody` and `sendfile_header` do.
    """
    body = FileBody(path)
    if not x_sendfile and internal is None:
        return body
    body.close()
    headers.add(*sendfile_header(path, internal))
    return None


def sendfile_header(path: "str | os.PathLike[str]", internal: str | None) -> tuple[str, str]:
    """Return the header field (name, value) that tells the server to send the file itself:
    X-Accel-Redirect with nginx's `internal` URL, or X-Sendfile with the path, percent-encoded, as
    mod_xsendfile and lighttpd decode it.

    Raises `ValueError` for control characters in either, and for an internal URL that is not a path.
    """
    from .characters import refused
    from .url import quote_reference

    name, value = "X-Accel-Redirect", internal
    if value is None:
        name, value = "X-Sendfile", os.path.abspath(absolute(path)).replace("%", "%25")
    bad = refused(value)
    if bad or not value.startswith("/"):
        found = f"it holds {bad!r}" if bad else "it does not begin with /"
        raise ValueError(f"{name}: {value[:100]!r} is not a valid path: {found}; give another one")
    return name, quote_reference(value)


def guess_type(path: "str | os.PathLike[str]") -> str:
    """Return the media type that a file's name suggests; never HTML by default."""
    import mimetypes

    kind, encoding = mimetypes.guess_type(os.fspath(path))
    return kind if kind and not encoding else "application/octet-stream"


def evaluate(headers: "Mapping[str, str]", etag: str, modified: int) -> int:
    """Evaluate the conditions of a GET or HEAD in the order of RFC 9110 section 13.2.2.

    Returns 200 (send it), 304 (the client's copy is good) or 412 (a precondition failed).
    """
    from .dates import parse_http_date

    match, none_match = headers.get("If-Match"), headers.get("If-None-Match")
    if match is not None:
        if match.strip() != "*" and etag not in _etags(match):
            return 412  # strong comparison: W/ tags never match
    else:
        before = parse_http_date(headers.get("If-Unmodified-Since", ""))
        if before is not None and modified > before:
            return 412
    if none_match is not None:
        if none_match.strip() == "*" or etag in [_weak(tag) for tag in _etags(none_match)]:
            return 304
    else:
        since = parse_http_date(headers.get("If-Modified-Since", ""))
        if since is not None and modified <= since:
            return 304
    return 200


def is_strong(modified: int, now: float) -> bool:
    """Return whether a Last-Modified is a strong validator (RFC 9110 section 8.8.2.2): its second is
    over, so the file cannot change again under the same date. Times are seconds since the epoch.
    """
    return int(now) - modified >= 1


def parse_range(value: str, size: int) -> tuple[int, int] | None:
    """Read a Range header for `size` bytes (RFC 9110 section 14.1.2).

    Returns (start, length), a length of 0 if the range cannot be satisfied, or None if the header is
    to be ignored: another unit, invalid syntax, an empty file, or several ranges, which a server may
    answer with the whole file.
    """
    if not size:
        # No Content-Range can describe an empty file; httpd and nginx send it with status 200.
        return None
    unit, _, spec = value.partition("=")
    first, dash, last = spec.strip().partition("-")
    if unit.strip().lower() != "bytes" or not dash or "," in spec:
        return None
    if not all(
        not part or (part.isascii() and part.isdigit() and len(part) < 19) for part in (first, last)
    ):
        return None
    if not first:  # a suffix range: the last bytes
        if not last:
            return None
        length = min(int(last), size)
        return size - length, length
    start = int(first)
    if last and int(last) < start:
        return None
    if start >= size:
        return 0, 0
    end = min(int(last), size - 1) if last else size - 1
    return start, end - start + 1


def _weak(tag: str) -> str:
    """Return an entity tag without what the weak comparison ignores (section 8.8.3.2): the W/, and the
    name of the coding that a server adds when it compresses the answer (section 8.8.3.3). Ranges are
    compared strongly: they refer to the bytes that the client has.
    """
    tag = tag.removeprefix("W/")
    before, dash, coding = tag.rpartition("-")
    return f'{before}"' if dash and coding in _CODINGS else tag


def _etags(value: str) -> list[str]:
    # Entity tags may contain commas, but ours never do, and only equality with ours matters.
    return [tag.strip() for tag in value.split(",")]
