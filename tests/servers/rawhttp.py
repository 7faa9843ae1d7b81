"""A raw HTTP client that forgives nothing: bytes out as given, and the answer judged by RFC 9112.

curl would repair requests and overlook faults in answers; here what a server sends is either a
well-formed message or a list of faults.
"""

import re
import socket
from collections.abc import Callable
from dataclasses import dataclass, field

SECONDS = 10.0  # without a byte; only a server that hangs takes so long
_STATUS_LINE = re.compile(r"HTTP/1\.[01] ([2-5][0-9]{2}) ([\t\x20-\x7e\x80-\xff]*)")
_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_ONCE = ("content-length", "content-type", "date", "location", "server", "transfer-encoding")


@dataclass
class Answer:
    """One final response. `faults` says what is not well-formed; `complete` is False where the body
    ended before its announced end, which tells the client that something is missing; `crlf` is False
    where a line of the header ends in LF alone, which a client may forgive (RFC 9112 section 2.2).
    """

    status: int = 0
    reason: str = ""
    fields: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    raw: bytes = b""
    faults: list[str] = field(default_factory=list)
    complete: bool = True
    crlf: bool = True

    def values(self, name: str) -> list[str]:
        """The values of a field, in order."""
        return [value for key, value in self.fields if key.lower() == name.lower()]


def exchange(
    host: str,
    port: int,
    request: bytes,
    until: bytes = b"",
    then: Callable[[], None] = lambda: None,
) -> bytes:
    """Send a request and return all that comes until the server closes the connection.

    As soon as `until` has come, `then` is called, if at all. `TimeoutError` if the server does not
    close, though it was asked to.
    """
    with socket.create_connection((host, port), timeout=SECONDS) as connection:
        try:
            connection.sendall(request)
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused before its end; the answer is there already
        received = bytearray()
        try:
            while piece := connection.recv(65_536):
                received += piece
                if until and until in received:
                    until = b""
                    then()
        except ConnectionResetError:
            pass  # closed with some of the request unread; what was sent before has arrived
    return bytes(received)


def read(raw: bytes, method: str, protocol: str) -> Answer:
    """Take an answer to a request by `method` and `protocol` ("HTTP/1.1") apart, and judge it."""
    answer = Answer(raw=raw)
    rest = _head(raw, answer)
    while 100 <= answer.status < 200 and answer.status != 101:  # after which HTTP has ended
        answer = Answer(raw=rest, faults=answer.faults)
        rest = _head(rest, answer)
    if not answer.status:
        return answer
    for name in _ONCE:
        if len(answer.values(name)) > 1:
            answer.faults.append(f"{name.title()} comes {len(answer.values(name))} times")
    _frame(rest, answer, method, protocol)
    return answer


def _head(raw: bytes, answer: Answer) -> bytes:
    """Read a status line and fields into `answer`; return what follows them."""
    end = re.search(rb"\r?\n\r?\n", raw)
    if end is None:
        answer.faults.append("no header block" if raw else "no answer at all")
        return b""
    head = raw[: end.end()]
    answer.crlf = re.search(rb"(?<!\r)\n", head) is None
    if re.search(rb"\r(?!\n)|\0", head):
        answer.faults.append("a CR or NUL inside of the header")
    first, *lines = re.split(r"\r?\n", head.decode("latin-1").rstrip("\r\n"))
    match = _STATUS_LINE.fullmatch(first.removesuffix("\r"))
    interim = re.fullmatch(r"HTTP/1\.1 (1[0-9]{2}) .*", first)
    if found := match or interim:
        answer.status = int(found[1])
    else:
        number = re.match(r"HTTP/1\.[01] ([0-9]{3})", first)
        answer.status = int(number[1]) if number else 0
        answer.faults.append("no status line" if not number else "a malformed status line")
    answer.reason = match[2] if match else ""
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not _NAME.fullmatch(name):
            answer.faults.append("a line of the header that is no field")
        answer.fields.append((name, value.strip(" \t\r")))
    return raw[end.end() :]


def _frame(rest: bytes, answer: Answer, method: str, protocol: str) -> None:
    """Find the body in what follows the header (RFC 9112 section 6)."""
    codings, lengths = answer.values("Transfer-Encoding"), answer.values("Content-Length")
    if method == "HEAD" or answer.status in (204, 304):
        if rest:
            answer.faults.append("a body where there is none")
    elif codings:
        if lengths:
            answer.faults.append("both Transfer-Encoding and Content-Length")
        if codings != ["chunked"] or protocol == "HTTP/1.0":
            answer.faults.append("a transfer coding that the client cannot read")
        _chunked(rest, answer)
    elif lengths:
        if not re.fullmatch("[0-9]{1,18}", lengths[0]):
            answer.faults.append("a Content-Length that is no number")
            return
        length = int(lengths[0])
        answer.body, answer.complete = rest[:length], len(rest) >= length
        if len(rest) > length:
            answer.faults.append("bytes beyond the Content-Length")
    else:
        answer.body = rest


def _chunked(rest: bytes, answer: Answer) -> None:
    pieces = []
    answer.complete = False
    while match := re.match(rb"([0-9A-Fa-f]{1,8})(?:;[^\r\n]*)?\r\n", rest):
        size = int(match[1], 16)
        start, end = match.end(), match.end() + size
        if size == 0:
            answer.complete = True
            if rest[start:] != b"\r\n":
                answer.faults.append("bytes beyond the last chunk")
            break
        pieces.append(rest[start:end])
        if rest[end : end + 2] != b"\r\n":
            break
        rest = rest[end + 2 :]
    answer.body = b"".join(pieces)
