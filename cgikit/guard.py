"""`import cgikit.guard` answers uncaught errors of a CGI script (RFC 3875) with an error page.

It is for the first import of a script. It covers errors before `run`, such as a failing import, and
errors in scripts that print their answer. It has no effect outside of CGI. For errors before any
import, such as a syntax error, see `runner.py`.
"""

from . import uncaught

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


def _answer(error: Exception, watched: "Watched | None", debug: bool | None) -> None:
    from .debug import answer_crash

    answer_crash(error, watched, debug)


def _answer_silence(watched: "Watched", file: str) -> None:
    from .forgotten import advice
    from .process import misuse, was_sent

    what, remedy = advice(file, certain=True)
    if what and not was_sent():
        _answer(misuse(f"{what} {remedy}"), watched, None)


install()
