"""The head of an HTTP/1.1 request, checked before waitress parses it: RFC 9112 sections 2 to 6.

Refuses heads that waitress needs long to refuse (some of its patterns take quadratic time, and one
thread serves all connections), that it could read in two ways (RFC 9112 section 11.2), or that make it
raise. Other heads are rewritten so that its patterns match at once. Bytes in, bytes out; the host
checks the target later.
"""

import re

from waitress.utilities import Error

FIELDS = 200  # header fields, folded lines counted. httpd: 100
METHOD = 32  # bytes of a method
_DIGITS = 18  # of a Content-Length; no disk holds so much, and int() refuses thousands of digits

_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_NOT_ASCII = re.compile(rb"[\x80-\xff]")
_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VERSION = re.compile(rb"HTTP/([0-9])\.([0-9])")


class HeadRefused(Exception):
    """The request is not read any further. `.error` is what waitress answers."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.error = refusal(status, why)


def refusal(status: int, why: str) -> Error:
    """Return the error that makes waitress answer with a status; `why` is a sentence (str)."""
    error = Error(why)
    error.code = status
    return error


def sound(head: bytes) -> bytes:
    """Return the head of a request in a form that waitress can parse. `HeadRefused` if it is malformed.

    It ends with an empty line. A target that is not ASCII, which curl sends as typed, is
    percent-encoded, folded lines are joined, and blanks around values are removed.
    """
    first, *lines = list(filter(None, head.split(b"\r\n"))) or [b""]
    if any(map(_CONTROL.search, (first, *lines))):
        raise HeadRefused(400, "The request's header has a control character.")
    if len(lines) > FIELDS:
        raise HeadRefused(431, f"The request has more than {FIELDS} header fields.")
    first, minor = _request_line(first)
    fields = _fields(lines)
    _check_framing(fields, minor)
    return b"\r\n".join([first, *(name + b":" + value for name, value in fields), b"", b""])


def _request_line(line: bytes) -> tuple[bytes, int]:
    """Return the request line and the minor version of HTTP; later ones count as 1.1."""
    method, *rest = line.rstrip(b" \t").split(b" ")
    if not _TOKEN.fullmatch(method) or not 1 <= len(rest) <= 2 or not rest[0]:
        raise HeadRefused(400, "The request does not begin with a method, a target and a version.")
    if len(method) > METHOD:
        raise HeadRefused(501, f"The request's method is longer than {METHOD} characters.")
    target = _NOT_ASCII.sub(lambda byte: b"%%%02X" % byte[0][0], rest[0])
    if len(rest) == 1:
        return method + b" " + target, 0
    version = _VERSION.fullmatch(rest[1])
    if version is None:
        raise HeadRefused(400, "The request line does not end with a version, such as HTTP/1.1.")
    if version[1] != b"1":
        raise HeadRefused(505, "This server speaks HTTP/1.1.")
    minor = min(int(version[2]), 1)
    return b"%b %b HTTP/1.%d" % (method, target, minor), minor


def _fields(lines: list[bytes]) -> list[tuple[bytes, bytes]]:
    found: list[tuple[bytes, list[bytes]]] = []
    for line in lines:
        if line.startswith((b" ", b"\t")) and found:
            found[-1][1].append(line.strip(b" \t"))  # folded: RFC 9112 section 5.2
            continue
        name, colon, value = line.partition(b":")
        if not colon or not _TOKEN.fullmatch(name):
            raise HeadRefused(400, "The request has a header line that is not a name and a value.")
        found.append((name, [value.strip(b" \t")]))
    return [(name, b" ".join(filter(None, parts))) for name, parts in found]


def _check_framing(fields: list[tuple[bytes, bytes]], minor: int) -> None:
    """Refuse a request whose end is ambiguous: another program could read it as two requests (RFC 9112
    section 6.3).
    """
    lengths = [value for name, value in fields if name.lower() == b"content-length"]
    codings = [value for name, value in fields if name.lower() == b"transfer-encoding"]
    for value in lengths:
        if not value.isdigit():
            raise HeadRefused(400, "The request's Content-Length is not a number.")
        if len(value) > _DIGITS:
            raise HeadRefused(413, "The request's Content-Length is far too large.")
    if len(lengths) > 1:
        raise HeadRefused(400, "The request has more than one Content-Length.")
    if not codings:
        return
    if lengths:
        raise HeadRefused(400, "The request has both Content-Length and Transfer-Encoding.")
    if minor == 0:
        raise HeadRefused(411, "The request's body has no Content-Length.")
    if [coding.lower() for coding in codings] != [b"chunked"]:
        raise HeadRefused(501, "The request's Transfer-Encoding is not chunked.")
