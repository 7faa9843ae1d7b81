"""multipart/form-data: the parts of a form as a stream of events (RFC 7578, RFC 2046 section 5.1).

A layer over the push parser of the `multipart` package, which enforces the limits and converts errors.
`pushparser.py` imports the package. `delimiters.py` prepares its input, because it does not support all
of RFC 2046; `partheader.py` parses the headers of the parts. Pure: bytes in, events out. `body.py` has
the loop that reads the body, `upload.py` stores the files.
"""

from .delimiters import plain
from .errors import BadRequest, LimitExceeded
from .limits import Limits
from .parameters import parse_header
from .partheader import Lines
from .partheader import Part as Part
from .pushparser import library

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def parse(
    chunks: "Iterable[bytes]",
    content_type: str,
    *,
    length: int,
    limits: Limits,
    codec: str = "utf-8",
) -> "Iterator[Part | bytes | None]":
    """Yield, for each part of a body, its `Part`, pieces of its content (bytes), and None.

    `chunks` are the bytes of the body, cut anywhere; `length` is their number. How they are cut may
    change the pieces, but not the content that these make up. A part with a file name is a file. Names
    are decoded by `codec`, the name of a codec of Python.

    Raises `BadRequest` for a body that is malformed or ends early, and for a part whose name cannot be
    parsed; `LimitExceeded` for more or larger fields, files or part headers than `limits` allow,
    before they are stored; `UnsupportedMediaType` for a part with a transfer encoding such as base64,
    which RFC 7578 section 4.7 forbids.
    """
    package = library()
    boundary = _boundary(content_type, limits)
    parser = package.PushMultipartParser(
        boundary,
        content_length=-1,  # the stream checks the length; the parser gets another number of bytes
        max_header_size=limits.part_header + 99,  # it sees only the header that `delimiters` writes
        max_header_count=1,
        max_segment_size=0,  # it sees no content; `_Budget` has the limits
        max_segment_count=limits.fields + limits.files + 1,
    )
    budget = _Budget(limits)
    lines = Lines(boundary, codec, limits)
    part = None
    try:
        for is_content, chunk in plain(chunks, boundary, limits, lines.add):
            if is_content:  # of the part that has begun; the package sees only what is around it
                budget.spend(part, len(chunk))
                yield chunk
                continue
            for event in parser.parse(chunk):
                if event is not None:
                    event = lines.part()
                    budget.open(event)
                part = event
                yield event
        parser.close()
    except package.ParserLimitReached:  # too many parts that are neither: empty file inputs
        raise LimitExceeded("fields", limits.fields, limits.fields + limits.files + 2) from None
    except package.MultipartError as error:
        raise BadRequest(f"malformed multipart body: {error.args[0]}") from None


class _Budget:
    """How much of the limits is used; files and fields are counted separately."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.files = self.fields = self.text = self.size = 0

    def open(self, part: Part) -> None:
        self.size = 0
        if part.filename is None:
            self.fields += 1
            _check("fields", self.limits.fields, self.fields)
        elif part.filename:  # an empty file input is sent without a name, and is not a file
            self.files += 1
            _check("files", self.limits.files, self.files)

    def spend(self, part: Part | None, count: int) -> None:
        # Without a name but with content, it is a file after all.
        if part is not None and part.filename == "" and not self.size:
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


def _boundary(content_type: str, limits: Limits) -> bytes:
    boundary = parse_header(content_type)[1].get("boundary", "")
    if not boundary:
        raise BadRequest(
            f"Content-Type: {content_type[:100]!r} has no boundary, which a multipart body needs; send "
            "one"
        )
    _check("boundary", limits.boundary, len(boundary))
    if not (boundary.isascii() and boundary.isprintable()):
        raise BadRequest(
            f"the multipart boundary {boundary!r} is not printable ASCII; send another one"
        )
    return boundary.encode()
