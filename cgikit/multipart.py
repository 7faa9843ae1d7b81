"""multipart/form-data: the parts of a form, as a stream of events (RFC 7578, RFC 2046 section 5.1).

A layer over the push parser of the `multipart` package. What it is given is prepared by
`delimiters.py`, because it does not know all that RFC 2046 allows; the parts' headers are read in
`partheader.py`. Here limits are kept and its errors become ours. Pure: bytes in, events out; where the
bytes of a file go is `upload.py`'s business, the loop is `body.py`'s.
"""

import sys

from .delimiters import plain
from .errors import BadRequest, LimitExceeded
from .limits import Limits
from .parameters import parse_header
from .partheader import Lines
from .partheader import Part as Part

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import ModuleType


def parse(
    chunks: "Iterable[bytes]",
    content_type: str,
    *,
    length: int,
    limits: Limits,
    codec: str = "utf-8",
) -> "Iterator[Part | bytes | None]":
    """Yield, for each part of a body, its `Part`, its content as bytes in pieces, and None.

    `chunks` are the body's bytes, cut anywhere; `length` is their number. The pieces may be cut
    elsewhere with other chunks; what they join to is the same. A part with a file name is a file. Names
    are in `codec`, one of Python's.

    Raises `BadRequest` for a body that breaks the format or ends early and for a part whose name is
    not understood; `LimitExceeded` for more fields, files or part headers, or larger ones, than
    `limits` allow, before they are stored; `UnsupportedMediaType` for a part in base64 or the like,
    which RFC 7578 section 4.7 rules out.
    """
    library = _library()
    boundary = _boundary(content_type, limits)
    parser = library.PushMultipartParser(
        boundary,
        content_length=-1,  # the stream's business: what the parser is given has another length
        max_header_size=limits.part_header + 99,  # it sees one header only, which is ours
        max_header_count=1,
        max_segment_size=length,  # ours are checked by kind, file or field
        max_segment_count=limits.fields + limits.files + 1,
    )
    budget = _Budget(limits)
    lines = Lines(boundary, codec, limits)
    part = None
    try:
        for chunk in plain(chunks, boundary, limits, lines.add):
            for event in parser.parse(chunk) if chunk else ():
                if event is None:
                    part = None
                elif isinstance(event, bytes | bytearray):
                    budget.spend(part, len(event))
                else:
                    part = event = lines.part()
                    budget.open(part)
                yield event
        parser.close()
    except library.ParserLimitReached:  # of parts that are neither: file inputs left empty
        raise LimitExceeded("fields", limits.fields, limits.fields + limits.files + 2) from None
    except library.MultipartError as error:
        raise BadRequest(f"malformed multipart body: {error.args[0]}") from None


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


def _boundary(content_type: str, limits: Limits) -> bytes:
    boundary = parse_header(content_type)[1].get("boundary", "")
    if not boundary:
        raise BadRequest("the multipart body's Content-Type names no boundary")
    _check("boundary", limits.boundary, len(boundary))
    if not (boundary.isascii() and boundary.isprintable()):
        raise BadRequest(f"the multipart boundary {boundary!r} is not printable ASCII")
    return boundary.encode()


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
