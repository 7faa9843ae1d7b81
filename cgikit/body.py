"""The request body: read exactly as long as it says it is, within limits, and turned into values.

Implements RFC 3875 section 4.2: never a byte beyond CONTENT_LENGTH, and nothing before the length is
checked. A body that ends early is an error, never a shorter body. The formats have modules of their
own (`querystring.py`, `multipart.py`); which one applies is decided here.
"""

import io

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

    from typing_extensions import Buffer

    from .environ import MetaVariables
    from .limits import Limits
    from .multidict import MultiDict, MultiMap
    from .multipart import Part
    from .upload import Upload

_CHUNK = 262_144


class BodyStream(io.RawIOBase):
    """A request's body as a readable binary file of exactly `length` bytes.

    Reading past the end gives b"". When the source ends before `length`, reading raises
    `BadRequest`: what came is not the body that was announced.
    """

    def __init__(self, source: "BinaryIO", length: int) -> None:
        self._source = source
        self.length = length
        self.received = 0

    def readable(self) -> bool:
        """True: see `io.RawIOBase`."""
        return True

    def read(self, size: int = -1, /) -> bytes:
        """Read at most `size` bytes, or all that are left."""
        if size is None or size < 0:
            return self.readall()
        wanted = min(size, self.length - self.received)
        if wanted <= 0:
            return b""
        data = self._source.read(wanted)
        if not data:
            from .errors import BadRequest

            raise BadRequest(
                f"the body ended after {self.received} of the {self.length} bytes announced"
            )
        self.received += len(data)
        return data

    def readall(self) -> bytes:
        """Read all that is left."""
        return b"".join(self.chunks())

    def readinto(self, buffer: "Buffer", /) -> int:
        """Fill `buffer` as far as one read goes: see `io.RawIOBase`."""
        view = memoryview(buffer).cast("B")
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)

    def chunks(self) -> "Iterator[bytes]":
        """Yield all that is left in pieces of at most 256 KiB."""
        while self.received < self.length:
            yield self.read(_CHUNK)


def open_body(request: "MetaVariables", source: "BinaryIO", limits: "Limits") -> BodyStream:
    """Return the body of `request` as a stream over `source`, nothing read yet.

    A CONTENT_LENGTH over `limits.body` raises `LimitExceeded`. A chunked body without a length
    raises `HTTPError` 411: CGI has no way to tell where it ends (RFC 3875 section 4.2).
    """
    length = request.content_length
    if length > limits.body:
        from .errors import LimitExceeded

        raise LimitExceeded("body", limits.body, length)
    if not request.environ.get("CONTENT_LENGTH") and request.environ.get("HTTP_TRANSFER_ENCODING"):
        from .errors import HTTPError

        raise HTTPError(411, "the body came without a length; send Content-Length")
    return BodyStream(source, length)


def read_whole(stream: BodyStream, limits: "Limits") -> bytes:
    """Read a whole body into memory, if it is no longer than `limits.memory`."""
    if stream.length > limits.memory:
        from .errors import LimitExceeded

        raise LimitExceeded("memory", limits.memory, stream.length)
    return stream.readall()


def decode_text(raw: bytes, content_type: str) -> str:
    """Decode a body by the charset of its Content-Type, UTF-8 without one.

    An unknown charset raises `UnsupportedMediaType`, bytes that do not fit it `BadRequest`.
    """
    from .errors import BadRequest
    from .headers import parse_header

    charset = parse_header(content_type)[1].get("charset", "utf-8")
    try:
        return _decode(raw, charset, "strict")
    except UnicodeDecodeError:
        raise BadRequest(f"the body is not valid {charset[:50]}") from None


def decode_json(raw: bytes, limits: "Limits") -> object:
    """Decode a JSON body (RFC 8259): UTF-8, no NaN or Infinity, nested at most `limits.json_depth`
    deep. Anything else raises `BadRequest` with the line and column, or `LimitExceeded`.
    """
    import json

    from .errors import BadRequest, LimitExceeded

    def refuse(word: str) -> object:
        raise ValueError(f"{word} is not JSON")

    try:
        value: object = json.loads(raw.decode("utf-8"), parse_constant=refuse)
    except RecursionError:
        raise LimitExceeded("json_depth", limits.json_depth, limits.json_depth + 1) from None
    except ValueError as error:  # JSONDecodeError and UnicodeDecodeError are both
        raise BadRequest(f"the body is not JSON: {error}") from None
    if raw.count(b"[") + raw.count(b"{") > limits.json_depth:
        depth = _depth(value, limits.json_depth)
        if depth > limits.json_depth:
            raise LimitExceeded("json_depth", limits.json_depth, depth)
    return value


def read_form(
    stream: BodyStream,
    content_type: str,
    *,
    limits: "Limits",
    errors: str = "replace",
    upload_dir: str | None = None,
    progress: "Callable[[int, int], object] | None" = None,
) -> "tuple[MultiDict, MultiMap[Upload]]":
    """Read a multipart body in one pass; return its text fields and its files.

    Fields are kept in memory, files by `Upload`, in `upload_dir`. `progress` is called with the
    bytes so far and the total, after every piece read. Whatever goes wrong, no file is left behind.
    """
    from .multidict import MultiDict, MultiMap
    from .multipart import Part, parse
    from .upload import Upload

    fields: list[tuple[str, str]] = []
    files: list[tuple[str, Upload]] = []
    text: list[bytes] = []
    part: Part | None = None
    upload: Upload | None = None
    chunks = _watched(stream, progress) if progress else stream.chunks()
    try:
        for event in parse(chunks, content_type, length=stream.length, limits=limits):
            if event is None:
                if part is not None and upload is None:
                    fields.append((part.name, _decode_field(part, b"".join(text), errors)))
                elif part is not None and upload is not None and (part.filename or upload.size):
                    files.append((part.name, upload))  # not a file input that was left empty
            elif isinstance(event, Part):
                part, text = event, []
                upload = None
                if part.filename is not None:
                    upload = Upload(part.filename, part.content_type, upload_dir)
            elif upload is not None:
                upload.write(event)
            else:
                text.append(event)
    except BaseException:
        for _, kept in files:
            kept.close()
        if upload is not None:
            upload.close()
        raise
    return MultiDict(fields), MultiMap(files)


def _watched(stream: BodyStream, progress: "Callable[[int, int], object]") -> "Iterator[bytes]":
    for chunk in stream.chunks():
        progress(stream.received, stream.length)
        yield chunk


def _decode_field(part: "Part", raw: bytes, errors: str) -> str:
    try:
        return _decode(raw, part.charset or "utf-8", errors)
    except UnicodeDecodeError:
        from .errors import BadRequest

        raise BadRequest(f"field {part.name[:100]!r} is not UTF-8") from None


def _decode(raw: bytes, charset: str, errors: str) -> str:
    # UTF-7 can spell "<" in letters and pass every filter that looks for one.
    if "7" not in charset or "utf" not in charset.lower():
        try:
            return raw.decode(charset, errors)
        except (
            LookupError,
            ValueError,
        ) as error:  # unknown, or no charset at all: hex, rot13, "\0"
            if isinstance(error, UnicodeDecodeError):
                raise
    from .errors import UnsupportedMediaType

    raise UnsupportedMediaType(f"the charset {charset[:50]!r} is not known; send UTF-8", charset)


def _depth(value: object, enough: int) -> int:
    """Count how deep arrays and objects are nested, level by level, up to one more than enough."""
    level, depth = [value], 0
    while level and depth <= enough:
        inner: list[object] = []
        for item in level:
            if isinstance(item, dict):
                inner.extend(item.values())
            elif isinstance(item, list):
                inner.extend(item)
        if not any(isinstance(item, dict | list) for item in level):
            break
        depth += 1
        level = inner
    return depth
