"""Which refusals are logged: a 403 or 404 that the owner of the scripts can mend.

Visitors choose what they request, so each refusal is logged once, and only a few that differ by the
path alone. Errors of a script or of the server (500 and up) are logged every time, by other modules.
Pure, except that it remembers what was logged.
"""

from .logtext import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .problem import Problem

MAX_SAME_FIX = (
    20  # lines with the same fix: all invented paths have one, "chmod +x a.py" is for one file
)
MAX_LINES = 500  # lines in all


class Refusals:
    """The refusals that were logged so far."""

    __slots__ = ("_count", "_told")

    def __init__(self) -> None:
        self._told: dict[str, set[str]] = {}
        self._count = 0

    def line(self, name: str, problem: "Problem") -> str:
        """Return the line for the log about a refused request (str), or "" if it is not to be logged.
        `name` is the script or the path that was requested.
        """
        if problem.status not in (403, 404) or not problem.fix or self._count >= MAX_LINES:
            return ""
        told = self._told.setdefault(problem.fix, set())
        if problem.what in told or len(told) >= MAX_SAME_FIX:
            return ""
        told.add(problem.what)
        self._count += 1
        last = " More of this kind are not logged." if len(told) == MAX_SAME_FIX else ""
        return one_line(f"{name}: {problem.log_text}") + last
