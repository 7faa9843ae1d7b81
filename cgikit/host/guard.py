"""The guard of an event loop: an error in one request ends only that request.

Every callback of a loop is called through a `Guard`, together with the function that ends the request
or connection that the callback serves. The traceback goes to the log under an incident number, and
the loop goes on. Callbacks are registered in `worker.py`, `connections.py` and `child.py`;
`cgikit.debug` does the same for the handlers of scripts.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    #: Ends the request or connection after its callback has raised; takes the number of the incident.
    OnError = Callable[[str], object]

MAX_KNOWN = 100  # kinds of errors whose traceback is not logged again


class Guard:
    """Calls callbacks and catches their errors. `log` takes one line. `on_fatal` ends everything: it is
    called with an incident number if even the single request could not be ended.

    `.count` is how many incidents there were (int).
    """

    def __init__(self, log: "Callable[[str], None]", on_fatal: "OnError") -> None:
        self.count = 0
        self._log = log
        self._on_fatal = on_fatal
        self._known: dict[tuple[object, ...], str] = {}

    def __call__(
        self, on_error: "OnError", callback: "Callable[..., object]", *arguments: object
    ) -> None:
        """Call `callback(*arguments)`; if it raises, log the error and call `on_error` with the number
        of the incident.
        """
        try:
            callback(*arguments)
        except Exception as error:
            incident = self.report(error)
            try:
                on_error(incident)
            except Exception as second:
                self._on_fatal(self.report(second))

    def report(self, error: Exception) -> str:
        """Log an error and return the number of the incident (str). Never raises.

        A repeated error takes one line, so that a visitor who can repeat it cannot fill the log.
        """
        self.count += 1
        try:
            return self._report(error)
        except Exception:  # for example, out of memory
            return "unknown"

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
        lines.append(
            f"this is incident {self.count} in this process; other requests are unaffected"
        )
        for line in lines:
            self._log(one_line(f"[incident {incident}] {line}"))
        return incident
