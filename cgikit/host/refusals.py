"""Which refusals the log has, and how often: a 403 or 404 that the owner of the scripts can mend.

Visitors decide what is asked for, so each is logged once, and of those that only a path tells apart a
few. Errors of a script and of the server (500 and up) are logged whenever they happen, by those who
answer. Pure, but for what is remembered.
"""

from .logtext import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .problem import Problem

MAX_SAME_FIX = (
    20  # lines with the same fix: what visitors invent has one, "chmod +x a.py" is of a file
)
MAX_LINES = 500  # lines altogether


class Refusals:
    """What the log has been told so far."""

    __slots__ = ("_count", "_told")

    def __init__(self) -> None:
        self._told: dict[str, set[str]] = {}
        self._count = 0

    def line(self, name: str, problem: "Problem") -> str:
        """Return the line of the log for a request that was refused (str), "" if there is to be none.
        `name` is the script or the path that was asked for.
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
