"""The guard of an event loop: an error in one request ends only that request.

Every callback of a loop is called through a `Guard`, together with the function that ends what the
callback is about. The traceback goes to the log under an incident number, and the loop goes on. Which
callbacks there are, and what each is about, is decided where they are registered (`worker.py`,
`connections.py`, `child.py`); the same for handlers of a script is in `cgikit.debug`.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    #: Ends what a callback is about after it raised; takes the number of the incident.
    Ends = Callable[[str], object]

MAX_KNOWN = 100  # kinds of errors whose traceback is not logged again


class Guard:
    """Calls callbacks and catches their errors. `log` takes one line. `last` ends everything: it is
    called with an incident number if not even the single request could be ended.

    `.count` is how many incidents there were (int).
    """

    def __init__(self, log: "Callable[[str], None]", last: "Ends") -> None:
        self.count = 0
        self._log = log
        self._last = last
        self._known: dict[tuple[object, ...], str] = {}

    def __call__(self, ends: "Ends", call: "Callable[..., object]", *arguments: object) -> None:
        """Call `call(*arguments)`; if it raises, log the error and call `ends` with its number."""
        try:
            call(*arguments)
        except Exception as error:
            incident = self.report(error)
            try:
                ends(incident)
            except Exception as second:
                self._last(self.report(second))

    def report(self, error: Exception) -> str:
        """Log an error and return the number of the incident (str). Never raises.

        A repeated error takes one line, so that a visitor who can repeat it cannot fill the log.
        """
        self.count += 1
        try:
            return self._report(error)
        except Exception:  # for example, memory is short
            return "without a number"

    def _report(self, error: Exception) -> str:
        from cgikit.debug import new_incident, traceback_of

        from .logtext import one_line

        incident = new_incident()
        at = error.__traceback__
        while at is not None and at.tb_next is not None:
            at = at.tb_next
        place = (at.tb_frame.f_code.co_filename, at.tb_lineno) if at is not None else ()
        kind = type(error), *place
        if kind in self._known:
            lines = [f"{type(error).__name__}: {error}, as in incident {self._known[kind]}"]
        else:
            lines = traceback_of(error).splitlines()
            if len(self._known) < MAX_KNOWN:
                self._known[kind] = incident
        lines.append(f"this was incident {self.count} of this process; the others go on")
        for line in lines:
            self._log(one_line(f"[incident {incident}] {line}"))
        return incident
