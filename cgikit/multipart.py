"""multipart/form-data: the parts of a form as a stream of events (RFC 7578, RFC 2046 section 5.1).

A layer over the push parser of the `multipart` package, which enforces the limits and converts errors.
`delimiters.py` prepares the input, because the package does not support all of RFC 2046;
`partheader.py` parses the headers of the parts. Pure: bytes in, events out. `body.py` has the loop that
reads the body, `upload.py` stores the files.
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
    """Yield, for each part of a body, its `Part`, pieces of its content (bytes), and None.

    `chunks` are the bytes of the body, cut anywhere; `length` is their number. How they are cut may
    change the pieces, but not the content that these make up. A part with a file name is a file. Names
    are decoded by `codec`, the name of a codec of Python.

    Raises `BadRequest` for a body that is malformed or ends early, and for a part whose name cannot be
    parsed; `LimitExceeded` for more or larger fields, files or part headers than `limits` allow,
    before they are stored; `UnsupportedMediaType` for a part with a transfer encoding such as base64,
    which RFC 7578 section 4.7 forbids.
    """
    library = _library()
    boundary = _boundary(content_type, limits)
    parser = library.PushMultipartParser(
        boundary,
        content_length=-1,  # the stream checks the length; the parser gets another number of bytes
        max_header_size=limits.part_header + 99,  # it sees only the header that `delimiters` writes
        max_header_count=1,
        max_segment_size=length,  # `_Budget` has separate limits for files and fields
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
    except library.ParserLimitReached:  # too many parts that are neither: empty file inputs
        raise LimitExceeded("fields", limits.fields, limits.fields + limits.files + 2) from None
    except library.MultipartError as error:
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


def _library() -> "ModuleType":
    """Import the `multipart` package without two of its imports, which take 16 of 40 ms.

    It imports functions of `tempfile` and `urllib.parse` that only its own form parser calls, which is
    not used here. While it loads, stand-ins replace these modules. In a process with threads the
    real modules are imported: another thread could get a stand-in, and start-up time does not matter.
    """
    threading = sys.modules.get("threading")
    # The threads of a WSGI server that is written in C are not in the count.
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
            f"the module 'multipart' at {place} is not the package that cgikit needs, but probably "
            "python-multipart, which has a module of the same name: "
            "pip uninstall python-multipart; pip install 'multipart>=2'"
        )
    library: ModuleType = multipart
    return library


def _stand_in(name: str) -> "ModuleType":
    """Return a module in which every name is a function that calls the one of the real module."""
    module = type(sys)(name)

    def __getattr__(attribute: str) -> object:  # noqa: N807 -- PEP 562's name
        if attribute.startswith("__"):
            raise AttributeError(attribute)  # the import system looks for these; there must be none

        def forward(*args: object, **kwargs: object) -> object:
            real = __import__(name, fromlist=(attribute,))
            return getattr(real, attribute)(*args, **kwargs)

        return forward

    module.__getattr__ = __getattr__  # type: ignore[method-assign]
    return module
