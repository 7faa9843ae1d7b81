"""The answer of a script that failed outside of `run`: an error page if nothing was sent, and otherwise
an end that shows that the answer is incomplete. Internal.

`uncaught.py` calls it, by `debug.answer_crash`, for errors that nobody has caught; `debug.py` makes the
page and the log entry, `appendix.py` what is added to a part of a page. The header is that of RFC 3875
section 6.
"""

from . import process
from .environ import MetaVariables

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .response import Response
    from .uncaught import Watched


def answer(
    error: BaseException,
    watched: "Watched | None",
    debug: bool,
    answer_error: "Callable[..., Response]",
) -> None:
    """Log an error and answer with its page.

    The page replaces printed output that is still in Python's buffers. If part of it was sent, the rest
    is sent too, followed by the error in debug mode.

    Raises `SystemExit`: 0 if the client got a page, `process.CUT` if it got a part of another. It
    returns if the client has everything that was announced.
    """
    process.restore_stdout()
    request = MetaVariables(process.environ())
    head = watched.head if watched is not None else b""
    begun = process.was_sent() or bool(head)
    page = answer_error(error, request, debug, sent=begun)
    if not begun:
        process.drop_printed()
        page.send(request=request)
        raise SystemExit(0)  # as `run` does: the request was answered
    process.flush()
    if watched is None:
        raise SystemExit(process.CUT)
    fields = Begun(watched.head)
    if not fields.is_whole:
        process.append(fields.missing(page))
        raise SystemExit(0)
    if fields.length is not None:
        if watched.count - fields.size >= fields.length:
            return  # the client has everything that it waits for
    elif debug and not fields.is_encoded and request.method != "HEAD" and not _appends(request):
        import traceback

        from .appendix import appendix
        from .debugpage import secrets_of
        from .masking import masked_source

        text = masked_source("".join(traceback.format_exception(error)).rstrip())
        text = secrets_of(error, request).hide(text)
        what = "The script failed here, and the page is not complete."
        process.append(appendix(what, fields.media, text.splitlines()))
    raise SystemExit(process.CUT)


def _appends(request: MetaVariables) -> bool:
    """Whether the server itself appends what the script has logged: that of `cgikit serve` does."""
    return request.server_software.startswith("cgikit")


class Begun:
    """The header of an answer that has begun, as far as it was sent: `.is_whole`, `.size` in bytes,
    `.media` (its Content-Type), `.length` (None if it announces none), `.is_encoded`.
    """

    def __init__(self, head: bytes) -> None:
        text = head.replace(b"\r\n", b"\n")
        lines, end, _ = text.partition(b"\n\n")
        self._lines = lines if end else text
        self.is_whole = bool(end)
        found = {}
        for line in self._lines.split(b"\n"):
            name, colon, value = line.partition(b":")
            if colon:
                found[name.strip().lower()] = value.strip().decode("latin-1")
        self._names = frozenset(found)
        ends = [head.find(mark) + len(mark) for mark in (b"\n\n", b"\r\n\r\n") if mark in head]
        self.size = min(ends, default=0)
        self.media = found.get(b"content-type", "")
        length = found.get(b"content-length", "")
        valid = length.isascii() and length.isdigit() and len(length) <= 18
        self.length = int(length) if valid else None
        self.is_encoded = found.get(b"content-encoding", "identity") != "identity"

    def missing(self, page: "Response") -> bytes:
        """Return what makes an answer of the lines that were sent: the rest of the header, the page."""
        lines = [b""] if self._lines and not self._lines.endswith(b"\n") else []
        if not {b"status", b"location"} & self._names and not self._lines.startswith(b"HTTP/"):
            lines.append(b"Status: %d" % page.status)
        if b"content-type" not in self._names:
            lines.append(b"Content-Type: text/html; charset=utf-8")
        body = page.body if isinstance(page.body, str) else ""
        return b"\n".join([*lines, b"", body.encode("utf-8", "backslashreplace")])
