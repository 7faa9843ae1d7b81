"""Internal. The header of one part of a form: its name, its file name and its type.

Implements RFC 7578 section 4 and, for browsers, the encoding of multipart/form-data in the WHATWG HTML
standard. This module decides which spellings of a name are accepted. All others are refused: otherwise
a file could pass for a text field, or a field for one without a name. `delimiters.py` decides where a
part begins and ends, `multipart.py` how many there may be.
"""

from .errors import BadRequest, LimitExceeded, UnsupportedMediaType
from .headers import is_token
from .limits import Limits
from .parameters import parse_header

# All others are ignored (RFC 7578 section 4.8), even Content-Length: a part ends at its delimiter.
_READ = frozenset(("content-disposition", "content-type", "content-transfer-encoding"))
_PLAIN_ENCODINGS = frozenset(("", "7bit", "8bit", "binary"))
_SPACE = " \t"


class Part:
    """The header of one part: `.name`, `.filename` (None for a text field), `.content_type` and
    `.charset` (lower case; "" if not sent). `filename` is exactly what the client sent.
    """

    __slots__ = ("charset", "content_type", "filename", "name")

    def __init__(self, name: str, filename: str | None, content_type: str, charset: str) -> None:
        self.name = name
        self.filename = filename
        self.content_type = content_type
        self.charset = charset


class Lines:
    """Collects the header of a part line by line, within limits; `part` makes a `Part` of it.

    Names are decoded by `codec`, the name of a codec of Python.
    """

    def __init__(self, boundary: bytes, codec: str, limits: Limits) -> None:
        self._delimiter = b"--" + boundary
        self._codec = codec
        self._limits = limits
        self._lines: list[list[bytes]] = []  # each as the pieces that it was folded into
        self._length = 0  # of the last line

    def add(self, line: bytes) -> None:
        """Add one line, without its CRLF. If it begins with a space, it continues the previous line."""
        folded = line[:1] in (b" ", b"\t")
        self._length = len(line) + (self._length if folded else 0)
        if self._length > self._limits.part_header:
            raise LimitExceeded("part_header", self._limits.part_header, self._length)
        if b"\n" in line or b"\r" in line or b"\0" in line:
            raise _malformed(
                f"{_shown(line)} in the header of a part contains NUL, CR or LF; leave them out"
            )
        if line.startswith(self._delimiter):
            raise _malformed(
                "a boundary follows the header of a part; a blank line must precede it"
            )
        if folded:
            if not self._lines:
                raise _malformed(
                    f"the header of a part begins with {_shown(line)}, which continues no line; leave "
                    "out the space"
                )
            self._lines[-1].append(line)
            return
        if len(self._lines) == self._limits.part_headers:
            allowed = self._limits.part_headers
            raise LimitExceeded("part_headers", allowed, allowed + 1)
        self._lines.append([line])

    def part(self) -> Part:
        """Return the `Part` that the lines describe, and start with an empty header.

        Raises `BadRequest` for a malformed header, `UnsupportedMediaType` for a transfer encoding such
        as base64 (RFC 7578 section 4.7).
        """
        lines, self._lines = [b"".join(pieces) for pieces in self._lines], []
        fields: dict[str, str] = {}
        for line in lines:
            before, colon, value = line.partition(b":")
            field = before.strip(b" \t").decode("latin-1").lower()
            if not colon or not is_token(field):
                raise _malformed(
                    f"{_shown(line)} in the header of a part is not a field; send 'name: value'"
                )
            if field in _READ:
                if field in fields:  # a filter in front may have read the other one
                    raise _malformed(
                        f"the header of a part has {field.title()} twice; send it once"
                    )
                fields[field] = self._decode(value)
        name, filename = _disposition(fields.get("content-disposition"))
        encoding = fields.get("content-transfer-encoding", "")
        if encoding.lower() not in _PLAIN_ENCODINGS:
            raise UnsupportedMediaType(
                f"the part {name[:100]!r} is encoded as {encoding[:50]!r}; send it without a transfer "
                "encoding (RFC 7578 section 4.7)",
                encoding,
            )
        content_type, parameters = parse_header(fields.get("content-type", ""))
        return Part(name, filename, content_type.lower(), parameters.get("charset", "").lower())

    def _decode(self, value: bytes) -> str:
        try:
            return value.decode(self._codec).strip(_SPACE)
        except UnicodeDecodeError:
            raise _malformed(
                f"the header of a part has {_shown(value)}, which is not valid {self._codec.upper()}; "
                "send the form in that charset"
            ) from None


def _disposition(value: str | None) -> tuple[str, str | None]:
    """Return the name and the file name (None for a text field) in a Content-Disposition.

    Its type does not matter: it is "form-data", but some clients send "attachment" for a file.
    """
    if value is None:
        raise _malformed("a part has no Content-Disposition, which names it; send one")
    # Browsers escape a quote as %22 and leave backslashes alone; old clients escape a quote by one.
    parameters = _parameters(value, escapes=True) or _parameters(value, escapes=False)
    if parameters is None or "name" not in parameters:
        raise _malformed(
            f"Content-Disposition: {value[:100]!r} has no valid name; send one, in quotes"
        )
    filename, extended = parameters.get("filename"), parameters.get("filename*")
    # RFC 7578 section 4.2 forbids filename*; besides a filename it could contradict what a filter in
    # front has read. But .NET sends it with a filename that is an encoded word, which is not a name.
    if extended is not None and (filename is None or _is_encoded_word(filename)):
        filename = _extended(extended)
    elif filename is None and any(name.startswith("filename*") for name in parameters):
        raise _malformed(
            f"Content-Disposition: {value[:100]!r} has a file name in pieces (RFC 2231); send it whole"
        )
    return parameters["name"], filename


def _parameters(value: str, *, escapes: bool) -> dict[str, str] | None:
    """Return the parameters of a Content-Disposition by name, or None if it is malformed."""
    found: dict[str, str] = {}
    position, end = value.find(";"), len(value)
    equals = value.find("=", position)
    while 0 <= position < end:
        semicolon = value.find(";", position + 1)
        last = semicolon if semicolon >= 0 else end
        if not position < equals < last:  # nothing between two semicolons, or at the end
            if value[position + 1 : last].strip(_SPACE):
                return None
            position = last
            continue
        name = value[position + 1 : equals].strip(_SPACE).lower()
        start = _after_spaces(value, equals + 1)
        if value.startswith('"', start):
            quote = _closing_quote(value, start + 1, escapes)
            position = _after_spaces(value, quote + 1)
            if quote < 0 or (position < end and value[position] != ";"):
                return None
            text = _unescape(value[start + 1 : quote], escapes)
        else:
            position = last
            text = _unescape(value[start:last].rstrip(_SPACE), False)
            if '"' in value[start:last]:
                return None
        # If a name is there twice, a filter in front may have read the other one.
        if not is_token(name) or name in found:
            return None
        found[name] = text
        if equals < position:  # searched again only if needed, which takes linear time
            equals = value.find("=", position)
    return found


def _after_spaces(text: str, position: int) -> int:
    while text[position : position + 1] in (" ", "\t"):
        position += 1
    return position


def _closing_quote(text: str, start: int, escapes: bool) -> int:
    """Return the index of the quote that closes the one before `start`; -1 if there is none."""
    quote = text.find('"', start)
    while escapes and quote > start:
        inside = text[start:quote]
        if (len(inside) - len(inside.rstrip("\\"))) % 2 == 0:
            break
        start, quote = quote + 1, text.find('"', quote + 1)
    return quote


def _unescape(text: str, escapes: bool) -> str:
    if escapes and '\\"' in text:
        return text.replace("\\\\", "\\").replace('\\"', '"')
    return text.replace("%0D", "\r").replace("%0A", "\n").replace("%22", '"')


def _is_encoded_word(text: str) -> bool:
    return text.startswith("=?") and text.endswith("?=")


def _extended(value: str) -> str:
    """Decode a file name in the form of RFC 8187 section 3.2: `UTF-8'de'%C3%A4.txt`."""
    from .querystring import unquote

    charset, _, rest = value.partition("'")
    _, quote, escaped = rest.partition("'")
    if quote and escaped.isascii() and charset.lower() in {"utf-8", "iso-8859-1"}:
        try:
            raw = unquote(escaped.encode())
            name = raw.decode("utf-8") if charset.lower() == "utf-8" else raw.decode("latin-1")
        except UnicodeDecodeError:
            name = "\0"
        if "\0" not in name:
            return name
    raise _malformed(
        f"the file name {value[:100]!r} is not valid; encode it as in RFC 8187 section 3.2"
    )


def _shown(line: bytes) -> str:
    return repr(line[:100].decode("utf-8", "replace"))


def _malformed(what: str) -> BadRequest:
    return BadRequest(f"malformed multipart body: {what}")
