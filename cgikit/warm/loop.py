"""The event loop of a worker: it waits for descriptors and calls back, each call through the guard.

Anything with a descriptor registers it with `watch`: the events to wait for, the function to call with
those that came (poll(2)), and the function that ends what the descriptor belongs to if that call
raises. The loop knows nothing else about them. `worker.py` says what a worker does between two waits.
"""

import select
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ..host.guard import Guard, OnError

IN, OUT = select.POLLIN, select.POLLOUT
CHUNK = 65_536  # bytes per read: the size of a pipe on Linux


class Loop:
    """Watches descriptors. `guarded` makes every call back.

    `.now` is the time (seconds, as `time.monotonic` counts) after the last wait: one clock for
    everything that happens between two waits.
    """

    __slots__ = ("_handlers", "_poll", "_watched", "guarded", "now")

    def __init__(self, guarded: "Guard") -> None:
        self.guarded = guarded
        self.now = time.monotonic()
        self._poll = select.poll()
        self._handlers: dict[int, tuple[OnError, Callable[[int], None]]] = {}
        self._watched: set[int] = set()  # since the wait whose events are being handled

    def watch(
        self, fd: int, mask: int, handler: "Callable[[int], None]", on_error: "OnError"
    ) -> None:
        """Call `handler` with the events of a descriptor. If it raises, call `on_error`, which ends one
        exchange, one connection or, on a channel that many share, the whole worker.
        """
        self._handlers[fd] = on_error, handler
        self._watched.add(fd)
        self._poll.register(fd, mask)

    def rewatch(self, fd: int, mask: int) -> None:
        """Change the events that a descriptor is watched for."""
        self._poll.modify(fd, mask)

    def unwatch(self, fd: int) -> None:
        """Stop watching a descriptor. Does nothing if it is not watched."""
        if self._handlers.pop(fd, None) is not None:
            self._poll.unregister(fd)

    def wait(self, timeout: float) -> None:
        """Wait for events, at most `timeout` milliseconds, and handle them."""
        self._watched.clear()
        events = self._poll.poll(timeout)
        self.now = time.monotonic()  # after a wait of seconds, from which all times count
        for fd, mask in events:
            found = self._handlers.get(fd)
            # None: an earlier event of this wait closed it. Watched since: closed as well, and the
            # number is now that of another descriptor, whose owner would read data that is not there
            if found is not None and fd not in self._watched:
                self.guarded(*found, mask)
        self.now = time.monotonic()
