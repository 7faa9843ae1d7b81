"""What a script prints: the CGI response of RFC 3875 section 6. Bytes in, values out.

This module alone decides what a header block means: which of the four kinds of response it is, which
fields reach the client and, if it is malformed, which line is wrong and how to mend it. It never looks
at the body. `cgikit.response` is the script's side, which writes such output.

`OutputParser` reads ordinary scripts, `NPHParser` the complete HTTP responses of `nph-` scripts.
"""

import re

from cgikit.status import REASONS

from .logtext import one_line
from .native import native
from .problem import Problem
from .value import Value

MAX_LINE = 8_190  # one header line, without its end; what httpd takes in requests
MAX_REDIRECTS = 10  # local ones, for one request (R45)
MAX_HEADER = 65_536  # the whole block; browsers accept less
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_FORBIDDEN = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_STATUS = re.compile(r"([2-5][0-9]{2})(?: (.*))?")
_STATUS_LINE = re.compile(r"HTTP/1\.[0-9]+ ([2-5][0-9]{2})(?: (.*))?")
# R23, R28: these fields belong to the server's connection; a script's would break the framing
_CONNECTION_FIELDS = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "server",
        "te",
        "trailer",
        "trailers",
        "transfer-encoding",
        "upgrade",
    }
)
Fields = list[tuple[str, str]]


class ScriptResponse(Value):
    """A document, or a redirect that the client follows. `headers` are what the client gets, as
    ISO-8859-1 text; `rest` is the beginning of the body, as far as it has been fed.
    """

    __slots__ = ("headers", "reason", "rest", "status")

    def __init__(
        self, status: int, reason: str, headers: tuple[tuple[str, str], ...], rest: bytes = b""
    ) -> None:
        self.status = status
        self.reason = reason
        self.headers = headers
        self.rest = rest

    @property
    def content_length(self) -> int | None:
        """The length of the body in bytes, as the script announced it, or None."""
        values = [value for name, value in self.headers if name.lower() == "content-length"]
        return int(values[0]) if values else None


class LocalRedirect(Value):
    """The server must answer as if `target` (a path, perhaps with a query; native text) had been
    requested instead.
    """

    __slots__ = ("rest", "target")

    def __init__(self, target: str, rest: bytes = b"") -> None:
        self.target = target
        self.rest = rest


class OutputParser:
    """Reads the header block of a script's output (RFC 3875 section 6.3).

    The result does not depend on how the output is cut into chunks. Errors are `Problem` 500.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._size = 0
        self._lines = 0
        self._fields: Fields = []

    def feed(self, data: bytes) -> ScriptResponse | LocalRedirect | None:
        """Take the next output; return the response once its header block is complete, else None.

        Output after the block is in `.rest`; the caller passes on the rest of the body. Lines end in LF
        or CRLF (R47).
        """
        self._buffer += data
        start = 0
        while (end := self._buffer.find(b"\n", start)) >= 0:
            line = bytes(self._buffer[start:end])
            start = end + 1
            self._measure(line)
            self._size += len(line) + 1
            line = line.removesuffix(b"\r")
            if not line and self._lines:
                return self._finish(bytes(self._buffer[start:]))
            self._lines += 1
            self._line(_text(line))
        del self._buffer[:start]
        self._measure(self._buffer)
        return None

    def end(self) -> Problem:
        """Return what is wrong if the output ends before the header block does."""
        if not self._lines and not self._buffer:
            return Problem(
                500,
                "The script printed nothing.",
                _FIX_HEADERS,
                kind="no-output",
                rule="RFC 3875 section 6.1",
            )
        if self._buffer:
            try:
                self._lines += 1
                self._line(_text(self._buffer))
            except Problem as problem:
                return problem
        return Problem(
            500,
            "The output ends before the blank line after the headers.",
            'Print an empty line after the last header, for example print("").',
            evidence="\n".join(f"{name}: {value}" for name, value in self._fields[-5:]),
            kind="no-blank-line",
            rule="RFC 3875 section 6.3",
        )

    def _measure(self, line: bytes | bytearray) -> None:
        # Also called for an incomplete line, so that one without an end takes no memory
        if len(line) > MAX_LINE:
            raise Problem(
                500,
                f"Header line {self._lines + 1} is longer than {MAX_LINE} bytes.",
                _FIX_BLANK,
                evidence=_shown(_text(line[:MAX_LINE])),
                kind="header-too-long",
                rule="",
            )
        if self._size + len(line) > MAX_HEADER:
            raise Problem(
                500,
                f"The headers are larger than {MAX_HEADER} bytes.",
                _FIX_BLANK,
                kind="header-too-long",
                rule="",
            )

    def _line(self, line: str) -> None:
        name, colon, value = line.partition(":")
        if not colon or not _TOKEN.fullmatch(name):
            raise self._bad_line(line, name)
        value = value.strip(" \t")
        if _FORBIDDEN.search(value):
            raise Problem(
                500,
                f"The header {name} has a control character in its value.",
                "Remove line ends and control characters from header values.",
                evidence=_shown(line),
                kind="control-character",
                rule="RFC 9110 section 5.5",
            )
        self._fields.append((name, value))

    def _bad_line(self, line: str, name: str) -> Problem:
        evidence = f"line {self._lines}: {_shown(line)}"
        if line.startswith("HTTP/") and not self._fields:
            return Problem(
                500,
                "The output begins with a status line, which only an NPH script prints.",
                'Print "Status: 200 OK" instead, or rename the script so that it begins with nph-.',
                evidence=evidence,
                kind="status-line",
                rule="RFC 3875 section 6.2",
            )
        if name != line and _TOKEN.fullmatch(name.rstrip(" \t")):
            return Problem(
                500,
                "A header has a space before its colon.",
                f'Print "{name.rstrip()}:" without the space.',
                evidence=evidence,
                kind="space-before-colon",
                rule="RFC 3875 section 6.3",
            )
        if name != line and all(_TOKEN.fullmatch(word) for word in name.split(" ")):
            return Problem(
                500,
                f"{name!r} is not a valid header name.",
                _FIX_NAME,
                evidence=evidence,
                kind="header-name",
                rule="RFC 9110 section 5.1",
            )
        if not self._fields:
            return Problem(
                500,
                "The output does not begin with headers.",
                _FIX_HEADERS,
                evidence=evidence,
                kind="output-before-header",
                rule="RFC 3875 section 6.2",
            )
        return Problem(
            500,
            "There is no blank line after the headers.",
            _FIX_BLANK,
            evidence=evidence,
            kind="no-blank-line",
            rule="RFC 3875 section 6.3",
        )

    def _finish(self, rest: bytes) -> ScriptResponse | LocalRedirect:
        cgi = {name: self._single(name) for name in ("content-type", "location", "status")}
        location = cgi["location"]
        if all(value is None for value in cgi.values()):
            raise self._missing_type()
        others = [field for field in self._fields if not _is_extension(field[0])]
        # R16: a local redirect is a Location alone; with a cookie, say, the client has to see it
        if location is not None and len(others) == 1 and is_local(location):
            return LocalRedirect(native(location), rest)
        if location == "":
            raise Problem(
                500,
                "The Location header is empty.",
                'Print "Location: /path" or a URL.',
                kind="empty-location",
                rule="RFC 3875 section 6.3.2",
            )
        status, reason = 302 if location is not None else 200, ""
        if cgi["status"] is not None:
            status, reason = self._status(cgi["status"])
        fields = [(n, v) for n, v in others if n.lower() != "status"]
        return ScriptResponse(status, reason or reason_of(status), self._checked(fields), rest)

    def _single(self, name: str) -> str | None:
        values = [value for field, value in self._fields if field.lower() == name]
        if len(values) > 1:
            raise Problem(
                500,
                f"The header {name.title()} is printed {len(values)} times.",
                "Print it once.",
                evidence="\n".join(_shown(value) for value in values),
                kind="repeated-header",
                rule="RFC 3875 section 6.3",
            )
        return values[0] if values else None

    def _missing_type(self) -> Problem:
        return Problem(
            500,
            "The headers have neither Content-Type nor Location nor Status.",
            'Print "Content-Type: text/html; charset=utf-8" among the headers.',
            evidence="\n".join(_shown(f"{name}: {value}") for name, value in self._fields[:10]),
            kind="no-content-type",
            rule="RFC 3875 section 6.2",
        )

    def _status(self, value: str) -> tuple[int, str]:
        match = _STATUS.fullmatch(value)
        if not match:
            raise Problem(
                500,
                "The Status header is not a number from 200 to 599, optionally with a reason.",
                'Print it like "Status: 404 Not Found".',
                evidence=_shown(f"Status: {value}"),
                kind="bad-status",
                rule="RFC 3875 section 6.3.3",
            )
        return int(match[1]), match[2] or ""

    def _checked(self, fields: Fields) -> tuple[tuple[str, str], ...]:
        lengths = {value for name, value in fields if name.lower() == "content-length"}
        if len(lengths) > 1 or not all(re.fullmatch("[0-9]{1,18}", value) for value in lengths):
            raise Problem(
                500,
                "The Content-Length header is not one number of bytes.",
                "Leave it out; the server does not need it.",
                evidence=_shown(", ".join(sorted(lengths))),
                kind="bad-content-length",
                rule="RFC 9110 section 8.6",
            )
        kept = [
            (n, v) for n, v in fields if n.lower() not in {*_CONNECTION_FIELDS, "content-length"}
        ]
        return (*kept, *(("Content-Length", str(int(value))) for value in lengths))


class NPHParser(OutputParser):
    """Reads the status line and the fields of an NPH script's response (RFC 3875 section 5).

    For front ends that cannot hand the raw bytes to the client: they send the same response with a
    connection header of their own.
    """

    def __init__(self) -> None:
        super().__init__()
        self._status_line: tuple[int, str] | None = None

    def _line(self, line: str) -> None:
        if self._status_line is not None:
            return super()._line(line)
        match = _STATUS_LINE.fullmatch(line)
        if not match or _FORBIDDEN.search(line):
            raise Problem(
                500,
                "The NPH script's output does not begin with an HTTP status line.",
                'Print "HTTP/1.1 200 OK" first, or rename the script so that nph- is not in front.',
                evidence=f"line 1: {_shown(line)}",
                kind="nph-status-line",
                rule="RFC 3875 section 5",
            )
        self._status_line = int(match[1]), match[2] or ""
        return None

    def _finish(self, rest: bytes) -> ScriptResponse:
        if self._status_line is None:  # unreachable: a first line sets it or raises
            raise self.end()
        if any(name.lower() == "transfer-encoding" for name, _ in self._fields):
            raise Problem(
                500,
                "The NPH script uses a transfer coding, which this server cannot pass on.",
                "Leave Transfer-Encoding out and end the body by exiting.",
                kind="nph-transfer-coding",
                rule="RFC 3875 section 5.2",
            )
        status, reason = self._status_line
        return ScriptResponse(
            status, reason or reason_of(status), self._checked(self._fields), rest
        )


def is_local(location: str) -> bool:
    """Whether a Location is a path on this server; `//host` is not (RFC 3875 section 6.3.2)."""
    return location.startswith("/") and not location.startswith(("//", "/\\"))


def bad_redirect(target: str, problem: Problem) -> Problem:
    """Return the problem of a local redirect to `target`, given the problem of the request for it: if
    the target is not a path, that is the script's fault. Other problems are returned unchanged.
    """
    if problem.status != 400:
        return problem
    return Problem(
        500,
        "The Location of the script's local redirect is not a valid path.",
        "Percent-encode text from outside, as Response.redirect does.",
        evidence=f"{one_line(target, 200)}: {problem.what}",
    )


def too_many_redirects(target: str) -> Problem:
    """Return the problem of scripts that redirect to each other endlessly; `target` was next."""
    return Problem(
        500,
        f"More than {MAX_REDIRECTS} local redirects in a row.",
        "Look for scripts whose Location leads back to themselves.",
        evidence=f"the last one: {target}",
    )


def reason_of(status: int) -> str:
    """Return the usual reason phrase of a status code (str), "Unknown" if it has none."""
    return REASONS.get(status, "Unknown")


def _is_extension(name: str) -> bool:
    return name.lower().startswith("x-cgi-")  # R24: from script to server, not for the client


def _text(line: bytes | bytearray) -> str:
    return line.decode("latin-1")  # as HTTP and WSGI want it back


def _shown(line: str) -> str:
    """Return the beginning of a line of output, decoded as UTF-8 if possible."""
    text = line.encode("latin-1").decode("utf-8", "replace")
    return text if len(text) <= 200 else text[:200] + "…"


_FIX_BLANK = "Print an empty line between the headers and the body; in Python: print()"
_FIX_NAME = (
    "Write a name without spaces, as X-Name; if this line belongs to the body, print an empty line "
    "before it."
)
_FIX_HEADERS = (
    "Before anything else, print the headers and an empty line, for example "
    'print("Content-Type: text/html; charset=utf-8\\n").'
)
