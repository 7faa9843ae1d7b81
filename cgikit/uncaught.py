"""Replaces `sys.excepthook` in CGI scripts, and counts how much of the answer was sent. Internal.

`guard.py` and `debug.enable` install it. It is small, since scripts that do not fail load it too. It
watches standard output, whose header RFC 3875 section 6 defines; `crash.py` makes the answer.
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Any

    Hook = Callable[[type[BaseException], BaseException, TracebackType | None], Any]
    Handle = Callable[[BaseException, "Watched | None", bool | None], object]

_MAX_HEAD = 65_536  # bytes
# An attribute of standard output: how many exit handlers are from here. `process.py` reads it.
_ENDS = "_cgikit_ends"


class Watched:
    """What was sent through standard output: the number of bytes (`.count`), and the first 64 KiB
    (`.head`), which is enough for the header of any answer.

    It is called as the `write` of the raw file below the buffer: once for each piece that is sent.
    What other programs print, and what is written directly to the descriptor, is not seen.
    """

    def __init__(self, raw: "Any") -> None:
        self.count = 0
        self.head = b""
        self._write = raw.write
        raw.write = self

    def __call__(self, data: "Any") -> "int | None":
        """Write, and count what was taken."""
        done: int | None = self._write(data)
        if done:
            self.count += done
            if len(self.head) < _MAX_HEAD:
                self.head += bytes(memoryview(data)[:done])[: _MAX_HEAD - len(self.head)]
        return done


class _Flush:
    """The `flush` of standard output. After an uncaught error Python calls it before `sys.excepthook`.
    This one does nothing then, so that output in the buffer can still be replaced by a page.
    """

    def __init__(self, stream: "Any") -> None:
        self._flush = stream.flush
        stream.flush = self

    def __call__(self) -> None:
        """Flush, unless the interpreter is the caller. It calls this again when it ends."""
        if sys._getframe().f_back is not None or sys.is_finalizing():
            self._flush()


class Uncaught:
    """The replacement of `sys.excepthook`: it calls `handle(error, watched, debug)`. `former` is the
    hook before, which gets the errors that are not for a page.
    """

    def __init__(
        self, handle: "Handle", debug: bool | None, former: "Hook", watched: Watched | None
    ) -> None:
        self.handle = handle
        self.debug = debug
        self.former = former
        self.watched = watched
        self._pid = os.getpid()

    def __call__(
        self, kind: type[BaseException], error: BaseException, trace: "TracebackType | None"
    ) -> None:
        """Answer the request with a page. Raises the `SystemExit` that ends the process."""
        # A process that the script has forked is not the one that answers.
        if os.getpid() != self._pid or isinstance(error, KeyboardInterrupt):
            self.former(kind, error, trace)
            return
        self.handle(error, self.watched, self.debug)


def install(
    handle: "Handle", debug: bool | None = None, log: "str | os.PathLike[str] | None" = None
) -> None:
    """Have `handle(error, watched, debug)` called for an uncaught error of this CGI process. `log` is a
    file for what would go to standard error. Without REQUEST_METHOD nothing is done.
    """
    if not os.environ.get("REQUEST_METHOD"):
        return
    if log is not None:
        from .logfile import LogFile

        LogFile(log).__enter__()
    hook: Any = sys.excepthook
    if isinstance(hook, Uncaught):
        debug = hook.debug if debug is None else debug
        sys.excepthook = Uncaught(handle, debug, hook.former, hook.watched)
    else:
        sys.excepthook = Uncaught(handle, debug, hook, _watched())


def watch_end(silent: "Callable[[Watched, str], object]", file: str) -> None:
    """Have `silent(watched, file)` called at the end of this CGI process if nothing has left it by
    then, after `install`; `file` is the script ("": the one that this process was started with).
    """
    hook = sys.excepthook
    if not isinstance(hook, Uncaught) or hook.watched is None:
        return
    import atexit

    file = os.path.abspath(file or getattr(sys.modules["__main__"], "__file__", None) or "")
    atexit.register(_at_end, silent, hook.watched, file, os.getpid())
    setattr(sys.stdout, _ENDS, getattr(sys.stdout, _ENDS, 0) + 1)


def _at_end(
    silent: "Callable[[Watched, str], object]", watched: Watched, file: str, pid: int
) -> None:
    if os.getpid() != pid or watched.count:
        return
    try:
        sys.stdout.flush()
        if not watched.count:
            silent(watched, file)
    except (OSError, ValueError, AttributeError, SystemExit):
        pass  # closed, or nobody reads it; or the end after a page, which has come anyway


def watch() -> Watched | None:
    """Return what watches standard output from now on; None without one, or with another kind."""
    buffer = getattr(sys.stdout, "buffer", None)
    try:
        return Watched(getattr(buffer, "raw", buffer))
    except (AttributeError, TypeError):
        return None


def _watched() -> Watched | None:
    watched = watch()
    if watched is not None:
        _Flush(sys.stdout)
    return watched
