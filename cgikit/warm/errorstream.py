"""The standard error of a script, in lines for a log.

`reply.py` decides whether it goes to cgikit's own log or to the web server's. All of it goes to one of
them: half a traceback in each log would help nobody. The last lines are kept for
the page of a script that fails.
"""

from ..host.logtext import Lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

TAIL = 20  # lines that are kept


class ErrorStream:
    """Standard error of one script. `log` takes lines; `.tail` are the last ones (list of str)."""

    __slots__ = ("_lines", "_log", "tail")

    def __init__(self, log: "Callable[[str], None]") -> None:
        self._log = log
        self._lines = Lines()
        self.tail: list[str] = []

    def take(self, name: str, data: bytes, *, sent: bool) -> None:
        """Take a piece. It is logged under the script's name unless it was `sent` to the web server."""
        self._keep(name, self._lines.feed(data), sent)

    def end(self, name: str, *, sent: bool) -> None:
        """Take the last line, if the script has not ended it."""
        self._keep(name, self._lines.end(), sent)

    def _keep(self, name: str, lines: list[str], sent: bool) -> None:
        if not lines:
            return
        self.tail = [*self.tail, *lines[-TAIL:]][-TAIL:]
        if not sent:  # immediately: a script may write a hundred thousand lines
            self._log("\n".join([f"{name}: {line}" for line in lines]))
