"""The request body: read to exactly its announced length, within limits, and decoded.

Implements RFC 3875 section 4.2: not a byte is read beyond CONTENT_LENGTH, and nothing before the length
is checked. A body that ends early is an error, never a shorter body. This module decides which format
applies; the formats have modules of their own (`querystring.py`, `multipart.py`).
"""

import io

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import BinaryIO

    from typing_extensions import Buffer

    from .environ import MetaVariables
    from .limits import Limits
    from .multidict import MultiDict, MultiMap
    from .upload import Upload

_CHUNK = 262_144
_ENOUGH = 32_768
_BLOCK = 65_536
_PIPE = 1 << 20  # bytes; the most that an unprivileged process may ask for on Linux


class BodyStream(io.RawIOBase):
    """A request's body as a readable binary file of exactly `length` bytes.

    Reading past the end returns b"". If the source ends before `length`, reading raises `BadRequest`:
    the body is not the one that was announced.
    """

    def __init__(self, source: "BinaryIO", length: int) -> None:
        self._source = source
        self.length = length
        self.received = 0

    def readable(self) -> bool:
        """Return True: see `io.RawIOBase`."""
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
        """Read into `buffer` once, and return the number of bytes: see `io.RawIOBase`."""
        view = memoryview(buffer).cast("B")
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)

    def chunks(self) -> "Iterator[bytes]":
        """Yield all that is left in pieces of 32 to 256 KiB; the last one may be shorter."""
        if self.length > _PIPE:
            self._widen()
        while self.received < self.length:
            yield self._piece()

    def _piece(self) -> bytes:
        """Read a piece, or all that is left.

        Clients can send two bytes at a time: that many small objects would take 25 times the memory.
        What is large enough is not copied.
        """
        wanted = min(_CHUNK, self.length - self.received)
        data = self.read(wanted)
        enough = min(wanted, _ENOUGH)
        if len(data) >= enough:
            return data
        full = bytearray(data)
        while len(full) < enough:
            full += self.read(wanted - len(full))
        return bytes(full)

    def _widen(self) -> None:
        """Enlarge the pipe for a large body: fewer reads take a third less time."""
        try:
            import fcntl

            fcntl.fcntl(self._source.fileno(), fcntl.F_SETPIPE_SZ, _PIPE)
        except (ImportError, AttributeError, OSError, ValueError):
            pass  # not a pipe, or not on Linux


class Body:
    """The body of one request. It is read once, in the form that is asked for first."""

    def __init__(
        self,
        request: "MetaVariables",
        source: "BinaryIO | None",
        limits: "Limits",
        errors: str = "replace",
        upload_dir: str | None = None,
        progress: "Callable[[int, int], object] | None" = None,
        codec: str = "utf-8",
        on_upload: "Callable[[Upload, bytes], object] | None" = None,
        sizes: "Mapping[str, int] | None" = None,
    ) -> None:
        self.request = request
        self.limits = limits
        self._source = source or io.BytesIO()
        self._errors = errors
        self._upload_dir = upload_dir
        self._progress = progress
        self._codec = codec
        self._on_upload = on_upload
        self._sizes = sizes or {}
        self._raw: BodyStream | None = None
        self._whole: bytes | None = None
        self._stream: BinaryIO | None = None
        self._form: tuple[MultiDict, MultiMap[Upload]] | None = None
        self._failed: Exception | None = None  # why reading failed, to be raised again

    def open(self, wanted: str) -> BodyStream:
        """Return the body as a stream of which nothing is read yet. `wanted` is the attribute that was
        asked for, for the message.

        A CONTENT_LENGTH over `limits.body` raises `LimitExceeded`. A chunked body without a length
        raises `LengthRequired` (411): CGI cannot tell where it ends (RFC 3875 section 4.2). A body that
        was read already raises `StateError`; one that could not be read raises the same error again.
        """
        if self._failed is not None:
            raise self._failed
        if self._raw is not None:
            from .errors import StateError

            raise StateError(
                f"request.{wanted}: the body was read already, and can be read only once"
            )
        length = self.request.content_length
        if length > self.limits.body:
            from .errors import LimitExceeded

            raise LimitExceeded("body", self.limits.body, length)
        if self._is_chunked():
            from .errors import LengthRequired

            raise LengthRequired(411, "the body has no length; send Content-Length")
        self._raw = BodyStream(self._source, length)
        return self._raw

    def stream(self) -> "BinaryIO":
        """Return the body as a buffered binary file, always the same one."""
        if self._stream is None:
            self._stream = io.BufferedReader(self.open("stream"), 65_536)
        return self._stream

    def whole(self) -> bytes:
        """Return the whole body, if it is no longer than `limits.memory`."""
        if self._whole is None:
            if self.limits.memory < self.request.content_length <= self.limits.body:
                from .errors import LimitExceeded

                raise LimitExceeded("memory", self.limits.memory, self.request.content_length)
            stream = self.open("body")
            try:
                self._whole = stream.readall()
            except (ValueError, OSError) as error:
                self._failed = error
                raise
        return self._whole

    def text(self) -> str:
        """Return the body decoded by its charset."""
        self._refuse_coded()
        return decode_text(self.whole(), self.request.content_type)

    def json(self) -> object:
        """Return the body decoded as JSON, if its Content-Type says that it is JSON."""
        kind = self._media_type()
        if kind != "application/json" and not kind.endswith("+json"):
            # A body without a type is refused too: a page of another site could send it.
            shown = repr(kind[:100]) if kind else "of no stated type"
            raise self._unsupported(f"the body is {shown}, not application/json")
        self._refuse_coded()
        return decode_json(self.whole(), self.limits)

    def form(self) -> "tuple[MultiDict, MultiMap[Upload]]":
        """Return the text fields and the files of a form; both are empty if there is no body."""
        if self._form is None:
            self._form = self._read_form()
        return self._form

    def close(self) -> None:
        """Close the uploads."""
        if self._form is not None:
            for _, upload in self._form[1].pairs():
                upload.close()

    def names(self) -> tuple[list[str], list[str]]:
        """Return the names of the fields and of the files of the form, as far as it was read."""
        return ([], []) if self._form is None else (list(self._form[0]), list(self._form[1]))

    def fields(self) -> list[tuple[str, str]]:
        """Return the names and values of the fields of the form, as far as it was read."""
        return [] if self._form is None else [*self._form[0].pairs()]

    def _read_form(self) -> "tuple[MultiDict, MultiMap[Upload]]":
        from . import multidict

        no_files: MultiMap[Upload] = multidict.MultiMap()
        if self.request.method in {"GET", "HEAD"}:
            return multidict.MultiDict(), no_files
        if self.request.content_length == 0 and not self._is_chunked():
            return multidict.MultiDict(), no_files
        self._refuse_coded()
        kind = self._media_type()
        if kind == "application/x-www-form-urlencoded":
            from . import querystring

            fields = querystring.parse(
                self.whole(), errors=self._errors, limits=self.limits, codec=self._codec
            )
            if self._sizes:
                from .formparts import check_size

                for name, value in fields.pairs():
                    size = len(value.encode("utf-8", "surrogatepass"))
                    check_size(self._sizes, name, size, "field")
            return fields, no_files
        if kind == "multipart/form-data":
            return self._read_multipart()
        shown = repr(kind[:100]) if kind else "of no stated type"
        raise self._unsupported(
            f"the body is {shown}, not a form; read it with .json(), .text(), .body or .stream, and "
            "the query string with .query"
        )

    def _read_multipart(self) -> "tuple[MultiDict, MultiMap[Upload]]":
        from . import formparts

        stream = self.open("form")
        try:
            return formparts.read_form(
                _watched(stream, self._progress) if self._progress else stream.chunks(),
                self.request.content_type,
                length=stream.length,
                limits=self.limits,
                errors=self._errors,
                upload_dir=self._upload_dir,
                codec=self._codec,
                on_upload=self._on_upload,
                sizes=self._sizes,
            )
        except (ValueError, OSError) as error:
            self._failed = error
            raise

    def _is_chunked(self) -> bool:
        environ = self.request.environ
        return not environ.get("CONTENT_LENGTH") and bool(environ.get("HTTP_TRANSFER_ENCODING"))

    def _refuse_coded(self) -> None:
        """Raise `UnsupportedMediaType` for a compressed body (RFC 9110 section 8.4): it has to be
        decompressed first, and a small one can become any size.
        """
        coding = self.request.environ.get("HTTP_CONTENT_ENCODING", "").strip().lower()
        if coding not in {"", "identity"}:
            raise self._unsupported(
                f"the body has the Content-Encoding {coding[:50]!r}; send it without one (.body and "
                ".stream return it as it is)"
            )

    def _media_type(self) -> str:
        return self.request.content_type.partition(";")[0].strip().lower()

    def _unsupported(self, message: str) -> Exception:
        from .errors import UnsupportedMediaType

        return UnsupportedMediaType(message, self.request.content_type)


def decode_text(raw: bytes, content_type: str) -> str:
    """Decode a body by the charset of its Content-Type, or as UTF-8 if it has none.

    An unknown charset raises `UnsupportedMediaType`; bytes that are not valid in it, `BadRequest`.
    """
    from .errors import BadRequest
    from .parameters import parse_header

    charset = parse_header(content_type)[1].get("charset", "utf-8")
    try:
        if charset == "utf-8":
            return raw.decode("utf-8")
        from .charsets import decoded

        return decoded(raw, charset, "strict")
    except UnicodeDecodeError:
        raise BadRequest(f"the body is not valid {charset[:50]}") from None


def decode_json(raw: bytes, limits: "Limits") -> object:
    """Decode a JSON body (RFC 8259): UTF-8, no NaN or Infinity, at most `limits.json_values` values and
    names, at most `limits.json_depth` levels of nesting. Anything else raises `BadRequest` with line
    and column, or `LimitExceeded`. The number of values is checked before any of them is decoded.
    """
    import json

    from .errors import BadRequest, LimitExceeded

    _check_values(raw, limits.json_values)

    def refuse(word: str) -> object:
        raise ValueError(f"{word} is not JSON")

    def finite(number: str) -> float:
        value = float(number)
        if value - value != 0:  # 1e999 is infinite, and could not be written as JSON again
            raise ValueError(f"{number[:50]} is too large a number")
        return value

    try:
        text = raw.decode("utf-8")
        value: object = json.loads(text, parse_constant=refuse, parse_float=finite)
    except RecursionError:
        raise LimitExceeded("json_depth", limits.json_depth, limits.json_depth + 1) from None
    except ValueError as error:  # JSONDecodeError and UnicodeDecodeError are both
        raise BadRequest(f"the body is not JSON: {error}") from None
    if raw.count(b"[") + raw.count(b"{") > limits.json_depth:
        depth = _depth(value, limits.json_depth)
        if depth > limits.json_depth:
            raise LimitExceeded("json_depth", limits.json_depth, depth)
    return value


def _check_values(raw: bytes, allowed: int) -> None:
    """Refuse JSON with more values and names than allowed, by counting the characters that introduce
    them: decoded, `[{"":0},` takes thirty times its memory. Empty arrays and objects count twice.
    """
    if _marks(raw) < allowed:
        return
    seen = 1
    for piece in _outside_strings(raw):  # long strings contain commas too
        seen += _marks(piece)
    if seen > allowed:
        from .errors import LimitExceeded

        raise LimitExceeded("json_values", allowed, seen)


def _marks(raw: bytes) -> int:
    return raw.count(b",") + raw.count(b":") + raw.count(b"[") + raw.count(b"{")


def _outside_strings(raw: bytes) -> "Iterator[bytes]":
    """Yield JSON without its strings, a block at a time."""
    inside, start = False, 0
    while start < len(raw):
        block = raw[start : start + _BLOCK]
        if start + _BLOCK < len(raw) and (len(block) - len(block.rstrip(b"\\"))) % 2:
            block = block[:-1]  # never split an escape from its backslash
        start += len(block)
        parts = block.replace(b"\\\\", b"").replace(b'\\"', b"").split(b'"')
        yield b"".join(parts[inside::2])
        inside ^= len(parts) % 2 == 0


def _watched(stream: "BodyStream", progress: "Callable[[int, int], object]") -> "Iterator[bytes]":
    for chunk in stream.chunks():
        progress(stream.received, stream.length)
        yield chunk


def _depth(value: object, enough: int) -> int:
    """Return how many levels deep arrays and objects are nested, at most `enough` + 1."""
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
