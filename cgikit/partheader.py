"""The header of one part of a form: its name, whether it is a file, and what type it says it has.

Implements RFC 7578 section 4 and, for what browsers do, the WHATWG HTML standard's encoding of
multipart/form-data. Which spellings of a name are understood is decided here; what is not understood is
refused, because a file would pass for a text field, or a field for the one without a name. Where a part
begins and ends is `delimiters.py`'s business, how many there may be `multipart.py`'s. Internal.
"""

from .errors import BadRequest, LimitExceeded, UnsupportedMediaType
from .headers import is_token
from .limits import Limits
from .parameters import parse_header

# All others are ignored (RFC 7578 section 4.8), a Content-Length too: a part ends at its delimiter.
_READ = frozenset(("content-disposition", "content-type", "content-transfer-encoding"))
_PLAIN_ENCODINGS = frozenset(("", "7bit", "8bit", "binary"))
_SPACE = " \t"


class Part:
    """The header of one part: `.name`, `.filename` (None for a text field), `.content_type` and
    `.charset` (lower case, "" if not sent). `filename` is what the client sent, verbatim.
    """

    __slots__ = ("charset", "content_type", "filename", "name")

    def __init__(self, name: str, filename: str | None, content_type: str, charset: str) -> None:
        self.name = name
        self.filename = filename
        self.content_type = content_type
        self.charset = charset


class Lines:
    """The header of a part, line by line, within limits; `part` makes a `Part` of it.

    `codec` is the one of Python's that names are in.
    """

    def __init__(self, boundary: bytes, codec: str, limits: Limits) -> None:
        self._delimiter = b"--" + boundary
        self._codec = codec
        self._limits = limits
        self._lines: list[list[bytes]] = []  # each in the pieces that it was folded into
        self._length = 0  # of the last one

    def add(self, line: bytes) -> None:
        """Take one line, without its CRLF; one that begins with a space goes on with the one before."""
        folded = line[:1] in (b" ", b"\t")
        self._length = len(line) + (self._length if folded else 0)
        if self._length > self._limits.part_header:
            raise LimitExceeded("part_header", self._limits.part_header, self._length)
        if b"\n" in line or b"\r" in line or b"\0" in line:
            raise _malformed("NUL, CR or LF in the header of a part")
        if line.startswith(self._delimiter):
            raise _malformed("a boundary in the header of a part; a blank line is missing")
        if folded:
            if not self._lines:
                raise _malformed("the header of a part begins with the continuation of a line")
            self._lines[-1].append(line)
            return
        if len(self._lines) == self._limits.part_headers:
            allowed = self._limits.part_headers
            raise LimitExceeded("part_headers", allowed, allowed + 1)
        self._lines.append([line])

    def part(self) -> Part:
        """Return what the lines say, and forget them.

        Raises `BadRequest` for a header that is not one, `UnsupportedMediaType` for a part in base64
        or the like (RFC 7578 section 4.7).
        """
        lines, self._lines = [b"".join(pieces) for pieces in self._lines], []
        fields: dict[str, str] = {}
        for line in lines:
            before, colon, value = line.partition(b":")
            field = before.strip(b" \t").decode("latin-1").lower()
            if not colon or not is_token(field):
                raise _malformed(f"{_shown(line)} in the header of a part is not a field")
            if field in _READ:
                if field in fields:  # a filter in front may have read the other one
                    raise _malformed(f"{field.title()} twice in the header of a part")
                fields[field] = self._decode(value)
        name, filename = _disposition(fields.get("content-disposition"))
        encoding = fields.get("content-transfer-encoding", "")
        if encoding.lower() not in _PLAIN_ENCODINGS:
            raise UnsupportedMediaType(
                f"part {name[:100]!r} comes in {encoding[:50]!r}; send it as it is "
                "(RFC 7578 section 4.7)",
                encoding,
            )
        content_type, parameters = parse_header(fields.get("content-type", ""))
        return Part(name, filename, content_type.lower(), parameters.get("charset", "").lower())

    def _decode(self, value: bytes) -> str:
        try:
            return value.decode(self._codec).strip(_SPACE)
        except UnicodeDecodeError:
            raise _malformed(f"a part's header is not {self._codec.upper()}") from None


def _disposition(value: str | None) -> tuple[str, str | None]:
    """Return the name and the file name (None for a text field) of a Content-Disposition.

    Its type does not matter: it is "form-data", and some say "attachment" of a file.
    """
    if value is None:
        raise _malformed("a part without Content-Disposition has no name")
    # Browsers escape a quote as %22, and a backslash is one; old clients put one in front of a quote.
    parameters = _parameters(value, escapes=True) or _parameters(value, escapes=False)
    if parameters is None or "name" not in parameters:
        raise _malformed(f"the part {value[:100]!r} has no name that is understood")
    filename, extended = parameters.get("filename"), parameters.get("filename*")
    # RFC 7578 section 4.2 has no filename*, and beside a filename it could contradict what a filter
    # has seen. .NET sends an encoded word beside it, which is nobody's name.
    if extended is not None and (filename is None or _is_encoded_word(filename)):
        filename = _extended(extended)
    elif filename is None and any(name.startswith("filename*") for name in parameters):
        raise _malformed("a file name in pieces (RFC 2231) is not understood")
    return parameters["name"], filename


def _parameters(value: str, *, escapes: bool) -> dict[str, str] | None:
    """Return the parameters of a Content-Disposition by name, or None if it has another form."""
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
        if not is_token(name) or name in found:  # twice: a filter in front may have read the other
            return None
        found[name] = text
        if equals < position:  # looked for again only where it lies behind: linear
            equals = value.find("=", position)
    return found


def _after_spaces(text: str, position: int) -> int:
    while text[position : position + 1] in (" ", "\t"):
        position += 1
    return position


def _closing_quote(text: str, start: int, escapes: bool) -> int:
    """Return where the quotes that were opened before `start` are closed, -1 if they are not."""
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
    """Decode a file name as RFC 8187 section 3.2 writes it: `UTF-8'de'%C3%A4.txt`."""
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
    raise _malformed(f"the file name {value[:100]!r} is not as RFC 8187 has it")


def _shown(line: bytes) -> str:
    return repr(line[:100].decode("utf-8", "replace"))


def _malformed(what: str) -> BadRequest:
    return BadRequest(f"malformed multipart body: {what}")
