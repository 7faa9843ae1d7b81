"""How slow a peer may be: the limits, and the clock that measures them. Pure.

A timeout that every byte restarts is not a limit: a peer that sends a byte from time to time would
hold its place for ever. So silence is limited and, after the first minute, there is a minimum rate.
The time is an argument; this module never reads a clock.
"""

SILENCE = 60  # seconds in which nothing moves. httpd's TimeOut: 60
RATE = 1_000  # bytes a second, after the first minute. httpd's mod_reqtimeout: 500


class Pace:
    """Bytes in one direction of a connection. `.heard` is the time of the last bytes, `.since` when the
    count began, both in seconds, and `.moved` the number of bytes since then.
    """

    __slots__ = ("heard", "moved", "since")

    def __init__(self, now: float) -> None:
        self.begin(now)

    def begin(self, now: float) -> None:
        """Start the count: from now on the peer is waited for."""
        self.since = self.heard = now
        self.moved = 0

    def move(self, size: int, now: float) -> None:
        """Count `size` bytes."""
        self.heard = now
        self.moved += size

    def rate(self, now: float) -> float:
        """Return the average number of bytes a second."""
        return self.moved / max(now - self.since, 1e-3)

    def is_slow(self, now: float, silence: float = SILENCE) -> bool:
        """Return whether the peer is too slow: silent for more than `silence` seconds, or, after that
        time, below the minimum rate.
        """
        if now - self.heard > silence:
            return True
        return now - self.since > silence + self.moved / RATE
