"""The parts of a multipart form, collected: text fields in memory, files by `Upload`.

`multipart.py` decides what a part is (RFC 7578) and keeps the limits; `body.py` decides that a body is
such a form. If anything goes wrong, no file is left behind.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from .limits import Limits
    from .multidict import MultiDict, MultiMap
    from .multipart import Part
    from .upload import Upload

# Bytes of a file that `on_upload` gets at once, so that it can tell the kind of file from its
# beginning; that of a tar archive is in bytes 257 to 262.
_HEAD = 512


def read_form(
    chunks: "Iterable[bytes]",
    content_type: str,
    *,
    length: int,
    limits: "Limits",
    errors: str = "replace",
    upload_dir: str | None = None,
    codec: str = "utf-8",
    on_upload: "Callable[[Upload, bytes], object] | None" = None,
    sizes: "Mapping[str, int] | None" = None,
) -> "tuple[MultiDict, MultiMap[Upload]]":
    """Read a multipart body of `length` bytes in one pass; return its text fields and its files.

    Fields are kept in memory, files by `Upload` in `upload_dir`. Names, and text without a charset of
    its own, are decoded by `codec`. `on_upload(upload, data)` gets each piece of a file before it is
    stored, the first piece with 512 bytes or the whole file, and b"" at the end of the file. `sizes`
    has the largest sizes, in bytes, of fields and files by the names of their fields (`LimitExceeded`).
    If anything goes wrong, no file is left behind.
    """
    from . import multidict, multipart

    collected = _Collected(upload_dir, errors, codec, on_upload, sizes or {})
    try:
        for event in multipart.parse(
            chunks, content_type, length=length, limits=limits, codec=codec
        ):
            if isinstance(event, multipart.Part):
                collected.begin(event)
            elif event is not None:
                collected.write(event)
            else:
                collected.end()
    except BaseException:
        collected.discard()
        raise
    return multidict.MultiDict(collected.fields), multidict.MultiMap(collected.files)


class _Collected:
    """The parts of a form so far; the part that is being received is either `upload` or `text`."""

    def __init__(
        self,
        upload_dir: str | None,
        errors: str,
        codec: str,
        on_upload: "Callable[[Upload, bytes], object] | None",
        sizes: "Mapping[str, int]",
    ) -> None:
        self.fields: list[tuple[str, str]] = []
        self.files: list[tuple[str, Upload]] = []
        self.part: Part | None = None
        self.upload: Upload | None = None
        self.text: list[bytes] = []
        self.size = 0
        self._head = b""  # of the file, until it is long enough for `on_upload`
        self._on_upload = on_upload
        self._sizes = sizes
        self._upload_dir = upload_dir
        self._errors = errors
        self._codec = codec

    def begin(self, part: "Part") -> None:
        self.part, self.upload, self.text, self.size = part, None, [], 0
        self._head = b""
        if part.filename is not None:
            from . import Upload

            self.upload = Upload(part.filename, part.content_type, self._upload_dir, part.name)

    def write(self, data: bytes) -> None:
        self.size += len(data)
        if self.part is not None and self._sizes:
            check_size(
                self._sizes, self.part.name, self.size, "field" if self.upload is None else "file"
            )
        if self.upload is None:
            self.text.append(data)
            return
        if self._on_upload is None:
            self.upload.write(data)
        elif self.upload.size:
            self._pass_on(self.upload, bytes(data))
        else:  # the body may have been divided within the first bytes
            self._head += data
            if len(self._head) >= _HEAD:
                self._pass_on_head(self.upload)

    def _pass_on(self, upload: "Upload", data: bytes) -> None:
        if self._on_upload is not None:
            self._on_upload(upload, data)
        upload.write(data)

    def _pass_on_head(self, upload: "Upload") -> None:
        head, self._head = self._head, b""
        if head:
            self._pass_on(upload, head)

    def end(self) -> None:
        part = self.part
        if part is None:
            return
        if self.upload is None:
            text = _decode_field(part, b"".join(self.text), self._errors, self._codec)
            self.fields.append((part.name, text))
        elif part.filename or self.size:  # otherwise a file input was left empty
            self._pass_on_head(self.upload)
            if self._on_upload is not None:
                self._on_upload(self.upload, b"")
            if not self.upload.is_discarded:
                self.files.append((part.name, self.upload))

    def discard(self) -> None:
        for _, upload in self.files:
            upload.close()
        if self.upload is not None:
            self.upload.close()


def check_size(sizes: "Mapping[str, int]", field: str, seen: int, limit: str) -> None:
    """Raise `LimitExceeded` if a field, or a file in it, is larger than `sizes` allows it."""
    allowed = sizes.get(field)
    if allowed is not None and seen > allowed:
        from .errors import LimitExceeded

        raise LimitExceeded(limit, allowed, seen, field=field)


def _decode_field(part: "Part", raw: bytes, errors: str, codec: str) -> str:
    charset = part.charset or codec
    try:
        if charset == "utf-8":
            return raw.decode("utf-8", errors)
        from .charsets import decoded

        return decoded(raw, charset, errors)
    except UnicodeDecodeError:
        from .errors import BadRequest

        raise BadRequest(f"field {part.name[:100]!r} is not {charset[:50].upper()}") from None
