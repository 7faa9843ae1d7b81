"""Waiting for a lock that somebody else holds: try, sleep, try again, until a deadline. Internal.

A system call that waits for a lock has no time-out: it ends when it gets the lock, or by a signal. So
each lock is tried without waiting, and tried again after a pause; this module decides how long the
pauses are. It is imported only where the first try has failed. The callers decide what
to do when the deadline has passed.
"""

from time import monotonic, sleep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    T = TypeVar("T")

_MIN_PAUSE = 0.0002  # seconds; most locks are held for less than a millisecond
_MAX_PAUSE = 0.02  # seconds; fifty tries a second cost next to nothing


def wait_for(attempt: "Callable[[], T | None]", deadline: float) -> "T | None":
    """Call `attempt`, which has failed once already, again and again until it returns something other
    than None, and return that. Return None once `deadline`, a time of the monotonic clock, has passed.
    """
    pause = _MIN_PAUSE
    while (left := deadline - monotonic()) > 0:
        sleep(min(pause, left))
        found = attempt()
        if found is not None:
            return found
        pause = min(pause * 2, _MAX_PAUSE)
    return None
