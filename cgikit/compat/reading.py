"""Internal. How `FieldStorage` of `cgikit.compat.cgi` reads a body that is not urlencoded: the
parts of a form one after the other, each into memory or a file.

Each step is a `FieldStorage` method, since many subclasses override one; the methods delegate to this
module. It is not imported for GET requests.
"""

import codecs
from io import BytesIO, StringIO

from cgikit.compat.headers import PartHeaders
from cgikit.compat.reader import MISSING, Reader
from cgikit.compat.urlencoded import cut_off

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    class Storage(Protocol):
        """What is read of a `FieldStorage` and set in it. Everything that subclasses may set to what
        they like is `Any`.
        """

        fp: Any
        list: Any
        file: Any
        filename: Any
        FieldStorageClass: Any
        outerboundary: bytes
        innerboundary: Any
        length: int
        limit: int | None
        max_num_fields: int | None
        encoding: str
        errors: str
        separator: str
        bytes_read: int
        done: int
        _binary_file: bool
        _decoder: Any
        _FieldStorage__file: Any

        def query_fields(self) -> Any:
            """Return the fields of the query string."""

        def make_file(self) -> Any:
            """Return a new file for the content."""

        def has_own_make_file(self) -> bool:
            """Whether a subclass says where content is kept."""

        def read_binary(self) -> None:
            """Read as many bytes as the length says."""

        def read_lines(self) -> None:
            """Read up to the outer boundary, or to the end."""

        def read_lines_to_eof(self) -> None:
            """Read to the end."""

        def read_lines_to_outerboundary(self) -> None:
            """Read up to the outer boundary."""

        def skip_lines(self) -> None:
            """Skip what is left up to the outer boundary."""

        def _FieldStorage__write(self, line: bytes) -> None: ...  # noqa: N802


_IN_MEMORY = 1_000  # bytes of an upload; scripts rely on larger ones having a `.file.fileno()`
_PIECE = 131_072  # bytes read at once
_TEXT_IN_MEMORY = 1 << 20  # bytes of a text field; one file per field could exhaust the descriptors


def is_text(kind: str) -> bool:
    """Whether a body of this media type is text, so that its value is a str."""
    kind = kind.lower()
    main, _, sub = kind.partition("/")
    return main in ("text", "") or sub.rpartition("+")[2] in (
        "json",
        "xml",
        "javascript",
        "x-ndjson",
    )


def valid_boundary(s: "str | bytes") -> bool:
    """Return whether a boundary has 1 to 201 printable ASCII characters and does not end in a space."""
    text = s if isinstance(s, str) else s.decode("latin-1")
    return 0 < len(text) <= 201 and text.isascii() and text.isprintable() and text[-1] != " "


def reader_of(storage: "Storage") -> Reader:
    """Return the reader that all parts of a request share, as `storage.fp`."""
    if not isinstance(storage.fp, Reader):
        storage.fp = Reader(storage.fp, -1 if storage.outerboundary else storage.length)
    reader: Reader = storage.fp
    return reader


def read_multi(
    storage: "Storage", environ: "Any", keep_blank_values: object, strict_parsing: object
) -> None:
    """Read the parts of a multipart body, each an instance of `FieldStorageClass`, or else of the
    class of `storage`.
    """
    boundary = storage.innerboundary
    if not valid_boundary(boundary):
        raise ValueError(
            f"Invalid boundary in multipart form: {boundary!r}; expected 1 to 201 printable ASCII "
            "characters, not ending in a space, in the Content-Type"
        )
    reader = reader_of(storage)
    before = reader.consumed
    storage.list = storage.query_fields()
    reader.count("nesting")
    if storage.outerboundary:
        reader.enter(storage.outerboundary)
    if reader.find_first(boundary):
        _read_parts(storage, reader, environ, keep_blank_values, strict_parsing)
    elif reader.is_short:
        reader.rest(len)  # raises the error for a body that is cut short
    reader.count("nesting", -1)
    if storage.outerboundary:
        reader.leave()
    storage.bytes_read += reader.consumed - before
    storage.skip_lines()


def _read_parts(
    storage: "Storage",
    reader: Reader,
    environ: "Any",
    keep_blank_values: object,
    strict_parsing: object,
) -> None:
    klass: Any = storage.FieldStorageClass or storage.__class__
    left = storage.max_num_fields
    if left is not None:
        left -= len(storage.list)
    start = reader.consumed
    while head := reader.head():
        headers = PartHeaders.read(head.decode(storage.encoding, storage.errors))
        del headers["content-length"]  # some clients send one; a part ends at its delimiter
        reader.count("fields")
        limit = None if storage.limit is None else storage.limit - (reader.consumed - start)
        part = klass(
            reader,
            headers,
            storage.innerboundary,
            environ,
            keep_blank_values,
            strict_parsing,
            limit,
            storage.encoding,
            storage.errors,
            left,
            storage.separator,
        )
        storage.list.append(part)
        if left is not None:
            left -= max(1, len(part.list or ()))
            if left < 0:
                raise ValueError("Max number of fields exceeded")
        if part.done:
            break
    else:
        if reader.is_short:
            reader.rest(len)


def read_single(storage: "Storage") -> None:
    """Read a body, or a part, that has no parts itself."""
    if storage.length >= 0:
        storage.read_binary()
        storage.skip_lines()
    else:
        storage.read_lines()
    finish(storage)
    storage.file.seek(0)


def read_binary(storage: "Storage") -> None:
    """Read as many bytes as the length says."""
    reader = reader_of(storage)
    if storage.has_own_make_file():
        storage.file = storage.make_file()
        storage._FieldStorage__file = None
    else:
        _begin(storage)
    left = storage.length
    while left > 0:
        data = reader.read(min(left, _PIECE))
        if not data:
            raise cut_off(storage.length, storage.length - left)
        storage._FieldStorage__write(data)
        storage.bytes_read += len(data)
        left -= len(data)
    finish(storage)


def read_lines(storage: "Storage") -> None:
    """Read up to the outer boundary, or to the end if there is none."""
    _begin(storage)
    if storage.outerboundary:
        storage.read_lines_to_outerboundary()
    else:
        storage.read_lines_to_eof()
    finish(storage)


def read_lines_to_eof(storage: "Storage") -> None:
    """Read to the end."""
    reader = reader_of(storage)
    before = reader.consumed
    reader.rest(storage._FieldStorage__write)
    storage.bytes_read += reader.consumed - before
    storage.done = MISSING


def read_lines_to_outerboundary(storage: "Storage") -> None:
    """Read up to the outer boundary, and skip it."""
    reader = reader_of(storage)
    before = reader.consumed
    storage.done = reader.section(storage.outerboundary, storage._FieldStorage__write)
    storage.bytes_read += reader.consumed - before


def read_part(storage: "Storage") -> bytes:
    """Return the whole content of a part that is itself urlencoded."""
    memory = BytesIO()
    reader = reader_of(storage)

    def write(data: bytes) -> None:
        reader.count("memory", len(data))
        memory.write(data)

    before = reader.consumed
    storage.done = reader.section(storage.outerboundary, write)
    storage.bytes_read += reader.consumed - before
    return memory.getvalue()


def skip_lines(storage: "Storage") -> None:
    """Skip the epilogue of an inner multipart, up to the outer boundary."""
    if not storage.outerboundary or storage.done:
        return
    reader = reader_of(storage)
    before = reader.consumed
    storage.done = reader.skip(storage.outerboundary)
    storage.bytes_read += reader.consumed - before


def _begin(storage: "Storage") -> None:
    storage._FieldStorage__file = BytesIO() if storage._binary_file else StringIO()
    storage.file = storage._FieldStorage__file
    if storage._binary_file and isinstance(storage.fp, Reader) and storage.filename is not None:
        storage.fp.count("files")


def write(storage: "Storage", data: bytes) -> None:
    """Add bytes to the content: first in memory, then in a file made by `make_file`."""
    memory = storage._FieldStorage__file
    if memory is not None:
        most = _IN_MEMORY if storage._binary_file else _TEXT_IN_MEMORY
        if memory.tell() + len(data) > most:
            storage.file = storage.make_file()
            storage._FieldStorage__file = None
            if memory.tell():
                storage.file.write(memory.getvalue())
        elif not storage._binary_file and isinstance(storage.fp, Reader):
            storage.fp.count("memory", len(data))
    if _takes_bytes(storage):
        storage.file.write(data)
        return
    if storage._decoder is None:
        # One decoder for all pieces: a character can be split between two of them.
        storage._decoder = codecs.getincrementaldecoder(storage.encoding)(storage.errors)
    storage.file.write(storage._decoder.decode(data))


def _takes_bytes(storage: "Storage") -> bool:
    """Whether the file expects bytes; one from a subclass's `make_file` may do so even for text."""
    return storage._binary_file or (storage.length >= 0 and not hasattr(storage.file, "encoding"))


def finish(storage: "Storage") -> None:
    """Write the rest of a character that was split between two pieces."""
    decoder, storage._decoder = storage._decoder, None
    if decoder is not None:
        storage.file.write(decoder.decode(b"", True))
