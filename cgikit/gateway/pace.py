"""How slow a peer may be: the one place for these numbers, and the clock that keeps them. Pure.

A clock that each byte renews is none: whoever sends one now and then holds a place for ever. So there
is a longest silence, and after the first minute a least rate as well. The time is given, never asked.
"""

SILENCE = 60  # seconds in which nothing moves. httpd's TimeOut: 60
RATE = 1_000  # bytes a second, after the first minute. httpd's mod_reqtimeout: 500


class Pace:
    """What moves one way on a connection. `.heard` is when something moved last, `.since` when it was
    begun, both in seconds, and `.moved` how many bytes have moved since.
    """

    __slots__ = ("heard", "moved", "since")

    def __init__(self, now: float) -> None:
        self.begin(now)

    def begin(self, now: float) -> None:
        """Start to count: from now on it is the peer that is waited for."""
        self.since = self.heard = now
        self.moved = 0

    def move(self, size: int, now: float) -> None:
        """Note that `size` bytes have moved."""
        self.heard = now
        self.moved += size

    def rate(self, now: float) -> float:
        """Return how many bytes have moved in a second, on the average."""
        return self.moved / max(now - self.since, 1e-3)

    def is_slow(self, now: float, silence: float = SILENCE) -> bool:
        """Tell whether the peer is slower than may be: silent for too long, or below the least rate
        after as many seconds.
        """
        if now - self.heard > silence:
            return True
        return now - self.since > silence + self.moved / RATE
