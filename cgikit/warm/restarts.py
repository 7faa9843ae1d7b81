"""When a worker that has ended is replaced: immediately, but not repeatedly without a pause. Pure.

There are two cases. A worker that ends before it is ready, say because of a library that cannot be
imported, would end again: the pause doubles. A worker that ends while it serves is replaced
immediately, as long as that is rare: healthy requests must not suffer from others. `supervisor.py` says
what happened, and when.
"""

BURST = 10  # replacements without a pause
REFILL = 6.0  # seconds until there may be one more
ALONE = 1.0  # seconds between replacements beyond that if no other worker takes requests
# Seconds after the second worker in a row that does not become ready; doubled after each
FIRST_PAUSE, MAX_PAUSE = 0.5, 30.0


class Restarts:
    """The pace of replacements. `.failures` is how many workers in a row ended before they were ready
    (int).
    """

    def __init__(self) -> None:
        self.failures = 0
        self._credit = float(BURST)
        self._counted = 0.0  # when the credit was counted
        self._replaced = 0.0  # when a worker was replaced last
        self._not_before = 0.0

    def failed(self, now: float) -> None:
        """Note that a worker ended before it was ready, or could not be started."""
        if self.failures:
            self._not_before = now + min(FIRST_PAUSE * 2 ** min(self.failures - 1, 10), MAX_PAUSE)
        self.failures += 1

    def succeeded(self) -> None:
        """Note that a worker became ready, or that somebody wants to try again immediately."""
        self.failures = 0
        self._not_before = 0.0

    def wait(self, now: float, *, alone: bool) -> float:
        """Return the seconds until a worker that has ended may be replaced (0: now). `alone` says that
        no other worker takes requests.
        """
        self._count(now)
        if now < self._not_before:
            return self._not_before - now
        if self._credit >= 1:
            return 0.0
        wait = (1 - self._credit) * REFILL
        if alone:
            wait = min(wait, max(0.0, self._replaced + ALONE - now))
        return wait

    def replaced(self, now: float) -> None:
        """Note that a replacement was started."""
        self._count(now)
        self._credit = max(0.0, self._credit - 1)
        self._replaced = now

    def _count(self, now: float) -> None:
        self._credit = min(float(BURST), self._credit + max(0.0, now - self._counted) / REFILL)
        self._counted = now
