"""The process's own request and answer: its environment, its standard input, its standard output.

The only module of the script's side that touches `os.environ`, `sys.stdin` and `sys.stdout`, so that
everything above it can also be used with values that are simply given. Nothing is parsed or built
here.
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import BinaryIO, TextIO

_SENT = "_cgikit_sent"  # an attribute of the output stream: the state is the stream's, not ours


def environ() -> "Mapping[str, str]":
    """Return this process's environment."""
    return os.environ


def arguments() -> list[str]:
    """Return the words this process was started with, the script first."""
    return sys.argv


def stdin() -> "BinaryIO":
    """Return this process's standard input as a binary file without a buffer.

    A buffered reader would read on to fill its buffer, beyond the body (RFC 3875 section 4.2). A
    standard input that is closed is an empty one.
    """
    if sys.stdin is None:
        import io

        return io.BytesIO()
    buffer = sys.stdin.buffer
    return getattr(buffer, "raw", buffer)


def send(chunks: "Iterable[bytes]") -> bool:
    """Write one whole response to standard output, each chunk flushed; tell whether it all went out.

    False means that the client went away: nobody is left to be told. Raises `StateError` if a
    response was sent before, or if something was printed and is still in Python's buffer; that is
    then taken back, so that a clean error page can follow.
    """
    out = getattr(sys.stdout, "guarded", sys.stdout)
    if out is None or out.closed:
        return False  # started with no standard output: there is nobody to answer
    if getattr(out, _SENT, False):
        raise misuse("a response was sent already; a request has one answer")
    stray = _take_back(out)
    if stray:
        shown = stray[:80].decode("utf-8", "replace")
        raise misuse(
            f"output was printed before the response: {shown!r}; put it into the response, or print "
            "it with file=sys.stderr"
        )
    setattr(out, _SENT, True)
    _leave_fast()
    write = out.buffer.write
    try:
        for chunk in chunks:
            write(chunk)
            out.buffer.flush()
    except BrokenPipeError:
        _discard(out)
        return False
    return True


def was_sent() -> bool:
    """Tell whether a response went to this process's standard output already."""
    return getattr(getattr(sys.stdout, "guarded", sys.stdout), _SENT, False)


class GuardedOutput:
    """Stands in for `sys.stdout` while a handler runs: printing raises `StateError` there and then.

    What a handler prints would come before the header, or inside the body, and the answer would be
    broken far from the line that broke it. As a context manager it puts itself in place and leaves.
    """

    def __init__(self) -> None:
        self.guarded = sys.stdout

    def write(self, text: str) -> int:
        """Refuse."""
        raise misuse(
            f"the handler printed {text[:60]!r}; return it in the response, or print it with "
            "file=sys.stderr"
        )

    @property
    def buffer(self) -> "BinaryIO":
        """Refuse: what is written there would be printed too."""
        raise misuse(
            "the handler writes to sys.stdout.buffer; return bytes in the response instead"
        )

    def __getattr__(self, name: str) -> object:
        return getattr(self.guarded, name)

    def __enter__(self) -> None:
        sys.stdout = self

    def __exit__(self, *_: object) -> None:
        if sys.stdout is self:
            sys.stdout = self.guarded


def _take_back(out: "TextIO") -> bytes:
    """Return what was printed but not yet passed on, and empty the buffers.

    Python does not show what its buffers hold, so they are flushed into a pipe for a moment. They
    hold less than 16 KiB, which every pipe takes. Under `python -u` nothing is ever held.
    """
    try:
        fd = out.fileno()
    except (OSError, ValueError, AttributeError):
        return b""  # not a real file: a test's, or an interactive shell's
    saved = os.dup(fd)
    reader, writer = os.pipe()
    try:
        os.dup2(writer, fd)
        os.close(writer)
        out.flush()
    finally:
        os.dup2(saved, fd)
        os.close(saved)
    try:
        return os.read(reader, 65_536)
    finally:
        os.close(reader)


def _leave_fast() -> None:
    """Arrange that this process, once the script is at its end, leaves without taking Python apart.

    That saves 2 of the 13 ms that a bare start and end of Python take. It is done only where nothing
    can get lost by it: in a CGI process, after threads have ended and exit handlers have run, when no
    file but the three standard ones is open and no exception ended the script. What it skips is
    `__del__` of objects that live to the end, which Python never promised to call.
    """
    if not os.environ.get("REQUEST_METHOD"):
        return
    import atexit

    # Handlers run in reverse: one that was registered before would come after this one, and be lost.
    count = getattr(atexit, "_ncallbacks", None)
    if count is not None and count() == 0:
        atexit.register(_leave)


def _leave() -> None:
    try:
        # The fourth is that of the listing itself. Files that are still open may hold unwritten data.
        if len(os.listdir("/proc/self/fd")) > 4 or hasattr(sys, "last_type"):
            return
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError, AttributeError):
        return  # no /proc, or a stream that fails or is closed: Python's own way deals with it
    os._exit(0)


def _discard(out: "TextIO") -> None:
    # What is left in the buffer would fail again when Python exits, with a traceback in the log.
    with open(os.devnull, "wb") as null:
        os.dup2(null.fileno(), out.fileno())
    out.flush()


def misuse(message: str) -> Exception:
    """Return the error for a script that answers in a way that cannot work."""
    from .errors import StateError

    return StateError(message)
