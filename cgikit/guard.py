"""`import cgikit.guard` answers uncaught errors of a CGI script (RFC 3875) with an error page.

It is for the first import of a script. It covers errors before `run`, such as a failing import, and
errors in scripts that print their answer. It has no effect outside of CGI. For errors before any
import, such as a syntax error, see `runner.py`.
"""

from . import uncaught

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .uncaught import Watched


def install() -> None:
    """Answer uncaught errors of this CGI process with a page. Importing this module calls it. The cause
    is shown with CGIKIT_DEBUG=1 in the environment.
    """
    uncaught.install(_answer)


def _answer(error: Exception, watched: "Watched | None", debug: bool | None) -> None:
    from .debug import answer_crash

    answer_crash(error, watched, debug)


install()
