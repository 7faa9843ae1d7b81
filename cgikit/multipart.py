"""multipart/form-data: the parts of a form, as a stream of events (RFC 7578, RFC 2046 section 5.1).

A layer over the push parser of the `multipart` package, which finds the boundaries. Here every one
of its limits is set, its errors become ours, and what is a field and what is a file is decided. Pure:
bytes in, events out; where the bytes of a file go is `upload.py`'s business, the loop is `body.py`'s.
"""

import sys

from .errors import BadRequest, LimitExceeded, UnsupportedMediaType
from .limits import Limits
from .parameters import parse_header

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import ModuleType
    from typing import Any

_ONCE = frozenset(("Content-Disposition", "Content-Type", "Content-Transfer-Encoding"))
_PLAIN_ENCODINGS = frozenset(("", "7bit", "8bit", "binary"))


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


def parse(
    chunks: "Iterable[bytes]", content_type: str, *, length: int, limits: Limits
) -> "Iterator[Part | bytes | None]":
    """Yield, for each part of a body, its `Part`, its content as bytes in pieces, and None.

    `chunks` are the body's bytes, cut anywhere; `length` is their number. The pieces may be cut
    elsewhere with other chunks; what they join to is the same. A part with a `filename` is a file.

    Raises `BadRequest` for a body that breaks the format or ends early, `LimitExceeded` for more
    fields, files or part headers, or larger ones, than `limits` allow, before they are stored, and
    `UnsupportedMediaType` for a part in base64 or the like, which RFC 7578 section 4.7 rules out.
    """
    library = _library()
    boundary = _boundary(content_type, limits)
    parser = library.PushMultipartParser(
        boundary,
        content_length=length,
        max_header_size=limits.part_header + 1,  # it counts the CR where a chunk ends after one
        max_header_count=limits.part_headers,
        max_segment_size=length,  # ours are checked by kind, file or field
        max_segment_count=limits.fields + limits.files + 1,
    )
    _check_lines(parser, limits)
    budget = _Budget(limits)
    part = None
    try:
        for chunk in _from_first_boundary(chunks, b"--" + boundary.encode()):
            for event in parser.parse(chunk) if chunk else ():
                if event is None:
                    part = None
                elif isinstance(event, bytes | bytearray):
                    budget.spend(part, len(event))
                else:
                    part = event = _part(event, library)
                    budget.open(part)
                yield event
        parser.close()
    except library.ParserLimitReached as error:
        raise _limit(error, limits) from None
    except library.MultipartError as error:
        raise BadRequest(f"malformed multipart body: {error.args[0]}") from None
    except UnicodeDecodeError:
        raise BadRequest("malformed multipart body: a part's header is not UTF-8") from None


class _Budget:
    """What of the limits is used up: files and fields are counted apart."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.files = self.fields = self.text = self.size = 0

    def open(self, part: Part) -> None:
        self.size = 0
        if part.filename is None:
            self.fields += 1
            _check("fields", self.limits.fields, self.fields)
        elif part.filename:  # a file input left empty sends no name, and is no file
            self.files += 1
            _check("files", self.limits.files, self.files)

    def spend(self, part: Part | None, count: int) -> None:
        if part is not None and part.filename == "" and not self.size:  # not left empty after all
            self.files += 1
            _check("files", self.limits.files, self.files)
        self.size += count
        if part is None or part.filename is None:
            self.text += count
            _check("field", self.limits.field, self.size)
            _check("memory", self.limits.memory, self.text)
        else:
            _check("file", self.limits.file, self.size)


def _check(limit: str, allowed: int, seen: int) -> None:
    if seen > allowed:
        raise LimitExceeded(limit, allowed, seen)


def _boundary(content_type: str, limits: Limits) -> str:
    boundary = parse_header(content_type)[1].get("boundary", "")
    if not boundary:
        raise BadRequest("the multipart body's Content-Type names no boundary")
    _check("boundary", limits.boundary, len(boundary))
    if not (boundary.isascii() and boundary.isprintable()):
        raise BadRequest(f"the multipart boundary {boundary!r} is not printable ASCII")
    return boundary


def _from_first_boundary(chunks: "Iterable[bytes]", delimiter: bytes) -> "Iterator[bytes]":
    """Yield the chunks less the preamble, which says nothing (RFC 2046 section 5.1.1).

    The library would take a boundary in the middle of a line for one if a chunk happens to begin
    there: what a body means must not depend on how it was cut.
    """
    chunks = iter(chunks)
    held = b"\r\n"
    for chunk in chunks:
        held += chunk
        start = held.find(delimiter)
        if start >= 0:
            if held[start - 2 : start] != b"\r\n":
                raise BadRequest("malformed multipart body: text in front of the first boundary")
            yield held[start:]
            break
        held = held[-len(delimiter) - 1 :]  # the CRLF and all but the last byte of a delimiter
    yield from chunks


def _check_lines(parser: "Any", limits: Limits) -> None:
    """Let the library see only header lines that are lines: it takes a bare LF for part of one, or
    for an error, depending on where a chunk ends.
    """
    handle = parser._on_segment_headerline

    def check(line: bytes) -> None:
        if b"\n" in line or b"\r" in line or b"\0" in line:
            raise BadRequest("malformed multipart body: NUL, CR or LF in the header of a part")
        _check("part_header", limits.part_header, len(line))
        handle(line)

    parser._on_segment_headerline = check


def _part(segment: "Any", library: "ModuleType") -> Part:
    filename = segment.filename
    charset = (segment.charset or "").lower()
    names = [name for name, _ in segment.headerlist]
    for name, value in segment.headerlist:
        if name in _ONCE and names.count(name) > 1:  # a filter in front may have read the other one
            raise BadRequest(f"malformed multipart body: {name} twice in the header of a part")
        if name == "Content-Transfer-Encoding" and value.strip().lower() not in _PLAIN_ENCODINGS:
            raise UnsupportedMediaType(
                f"part {segment.name[:100]!r} comes in {value[:50]!r}; send it as it is "
                "(RFC 7578 section 4.7)",
                value,
            )
        if name == "Content-Disposition" and filename and "\\" in value:
            # The library cuts a Windows path to its last part; the client's own words stay ours.
            filename = library.parse_options_header(
                value, unquote=lambda text, _: library.content_disposition_unquote(text)
            )[1].get("filename", filename)
    return Part(segment.name or "", filename, segment.content_type or "", charset)


def _limit(error: Exception, limits: Limits) -> BadRequest:
    """Turn the library's limit error, which names no limit, into ours."""
    if "header count" in str(error):
        return LimitExceeded("part_headers", limits.part_headers, limits.part_headers + 1)
    if "header length" in str(error):
        return LimitExceeded("part_header", limits.part_header, limits.part_header + 1)
    if "count" in str(error):
        return LimitExceeded("fields", limits.fields, limits.fields + 1)
    return BadRequest("malformed multipart body: a part says it is longer than the body")


def _library() -> "ModuleType":
    """Import the `multipart` package without half of what it imports, and half of its time.

    It asks `tempfile` and `urllib.parse` for functions that only its own form parser calls, which is
    not used here: 16 of 40 ms. While it loads, stand-ins take their places; not in a process with
    threads, which could catch one of them, and for which start-up does not matter.
    """
    threading = sys.modules.get("threading")
    # Threads of a WSGI server that is written in C are not counted.
    served = "cgikit.wsgi" in sys.modules
    alone = not served and (threading is None or threading.active_count() == 1)
    wanted = ("tempfile", "urllib.parse") if alone else ()
    absent = [name for name in wanted if name not in sys.modules]
    stand_ins = {name: _stand_in(name) for name in absent}
    sys.modules.update(stand_ins)
    try:
        import multipart
    finally:
        for name, module in stand_ins.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]
    if not hasattr(multipart, "PushMultipartParser"):
        place = getattr(multipart, "__file__", None) or list(multipart.__path__)
        raise ImportError(
            f"the module 'multipart' at {place} is not the package cgikit needs "
            "(python-multipart ships one of the same name): "
            "pip uninstall python-multipart; pip install 'multipart>=2'"
        )
    library: ModuleType = multipart
    return library


def _stand_in(name: str) -> "ModuleType":
    """Return a module whose every name is a function that calls the real module's when called."""
    module = type(sys)(name)

    def __getattr__(attribute: str) -> object:  # noqa: N807 -- PEP 562's name
        if attribute.startswith("__"):
            raise AttributeError(attribute)  # the import system asks for these; they stay absent

        def forward(*args: object, **kwargs: object) -> object:
            real = __import__(name, fromlist=(attribute,))
            return getattr(real, attribute)(*args, **kwargs)

        return forward

    module.__getattr__ = __getattr__  # type: ignore[method-assign]
    return module
