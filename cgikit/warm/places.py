"""Which request may run its script now: the places of a worker, the queue for them, and brief waits.

`--children` scripts may run at the same time, and `--queue` requests wait for one of them to end. An
exchange that wants to be looked at again in a moment, as when the end of its answer is about to come,
is held. How scripts are started is in `exchange.py` and `child.py`.
"""

from .slottable import SLOTS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from .loop import Loop
    from .settings import Settings
    from .zygoteclient import ZygoteClient

    class Candidate(Protocol):
        """A request that may get a place. `.asked` is when it was made, in the loop's time."""

        asked: float

        def start(self) -> None:
            """Start the script: there is a place now."""

        def refuse(self, why: str) -> None:
            """Answer that there is no place."""

        def recheck(self) -> None:
            """Go on after a brief wait."""

        def tick(self) -> None:
            """Look at the clock."""

        def crashed(self, incident: str) -> None:
            """End after an error that nobody expected."""


LATE = "no script ended in time to make room for it"


class Places:
    """The places of one worker. `.running` are the exchanges that have a script, `.queue` those that
    wait for a place, `.held` those that are to be looked at again in a moment.
    """

    __slots__ = ("_loop", "_settings", "_zygote", "held", "queue", "running")

    def __init__(self, loop: "Loop", zygote: "ZygoteClient", settings: "Settings") -> None:
        self._loop = loop
        self._zygote = zygote
        self._settings = settings
        self.running: set[Candidate] = set()
        self.queue: list[Candidate] = []
        self.held: set[Candidate] = set()

    def admit(self, exchange: "Candidate") -> bool:
        """Whether a request may start its script now; if not, it is queued. If the queue is full, it
        has been refused.
        """
        if self._has_room():
            return True
        if len(self.queue) < self._settings.queue:
            self.queue.append(exchange)
        else:
            exchange.refuse("too many requests wait already")
        return False

    def has_plenty(self) -> bool:
        """Whether half of the places would stay free if one more script were started."""
        return 2 * (len(self.running) + 1) <= self._settings.children

    def _has_room(self) -> bool:
        # Children that have left and are not reaped yet still have their slots
        return len(self.running) < self._settings.children and len(self._zygote.children) < SLOTS

    def start_next(self) -> None:
        """Start the scripts of those in the queue for which there is a place."""
        while self.queue and self._has_room():
            exchange = self.queue.pop(0)
            self._loop.guarded(exchange.crashed, exchange.start)

    def withdraw(self, exchange: "Candidate") -> None:
        """Take a request out of the queue, if it is in it: it needs no script any more."""
        if exchange in self.queue:
            self.queue.remove(exchange)

    def free(self, exchange: "Candidate") -> None:
        """Let the next request start its script: this one's has ended."""
        self.held.discard(exchange)
        self.running.discard(exchange)
        self.start_next()

    def forget(self, exchange: "Candidate") -> None:
        """Take a request out of everything: an error has ended it."""
        self.held.discard(exchange)
        self.running.discard(exchange)
        self.withdraw(exchange)

    def recheck(self) -> None:
        """Look again at those that were held."""
        held, self.held = self.held, set()
        for exchange in held:
            self._loop.guarded(exchange.crashed, exchange.recheck)

    def tick(self) -> None:
        """Look at the clock: of scripts that run, and of requests that wait."""
        for exchange in list(self.running):
            self._loop.guarded(exchange.crashed, exchange.tick)
        for exchange in list(self.queue):
            if self._loop.now - exchange.asked > self._settings.timeout:
                self.queue.remove(exchange)
                self._loop.guarded(exchange.crashed, exchange.refuse, LATE)
