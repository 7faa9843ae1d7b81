"""`import cgikit.guard` answers uncaught errors of a CGI script (RFC 3875) with an error page.

It is for the first import of a script. It covers errors before `run`, such as a failing import, and
errors in scripts that print their answer. It has no effect outside of CGI. For errors before any
import, such as a syntax error, see `runner.py`.
"""

# `process` is needed where nothing can be imported any more.
from . import process, uncaught

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .uncaught import Watched


def install(file: str = "") -> None:
    """Answer uncaught errors of this CGI process with a page, and also a script that ends without an
    answer because it lacks the call of its handler. Importing this module calls it. The cause is shown
    with CGIKIT_DEBUG=1 in the environment. `file` is the script, unless Python was started with it.
    """
    uncaught.install(_answer)
    uncaught.watch_end(_answer_silence, file)


def _answer(error: BaseException, watched: "Watched | None", debug: bool | None) -> None:
    try:
        from .debug import answer_crash

        answer_crash(error, watched, debug)
    except (OSError, MemoryError):  # no descriptor or no memory is left for an import
        process.clear_frames(error)
        if not process.was_sent() and not (watched is not None and watched.count):
            process.answer_exhausted(error)
            raise SystemExit(0) from None
        raise SystemExit(process.CUT) from None


def _answer_silence(watched: "Watched", file: str) -> None:
    from .forgotten import advice

    what, remedy = advice(file, certain=True)
    if what and not process.was_sent():
        _answer(process.misuse(f"{what} {remedy}"), watched, None)


install()
