"""Answers the request of a script that fails where nothing else would: `import cgikit.guard`.

As the first import of a CGI script (RFC 3875) it gives an error before `run`, such as a failing import,
and an error of a script that prints its answer itself, a page instead of nothing. Until a script fails
it does next to nothing, and outside of CGI nothing at all. `runner.py` also reaches errors that no
import of the script's own can reach.
"""

from . import uncaught

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .uncaught import Watched


def install() -> None:
    """Answer uncaught errors of this CGI process with a page; importing this module does it. The cause
    is shown with CGIKIT_DEBUG=1 in the environment.
    """
    uncaught.install(_answer)


def _answer(error: Exception, watched: "Watched | None", debug: bool | None) -> None:
    from .debug import answer_crash

    answer_crash(error, watched, debug)


install()
