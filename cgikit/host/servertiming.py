"""Server-Timing (W3C): where the time of a request went, as the network panel of browsers shows it.

The times are those that the server itself can take. The start of an interpreter is part of a script's
time: from outside, the two cannot be told apart (`cgikit trace` runs a script for that).
"""

import time

_WORDS = {"start": "until its process runs", "script": "until its header"}


class Timing:
    """The steps of one request, from now on. Used by one thread."""

    __slots__ = ("_began", "_last", "_steps")

    def __init__(self) -> None:
        self._began = self._last = time.monotonic()
        self._steps: dict[str, float] = {}

    def begin(self) -> None:
        """Note that a step begins now; what was between it and the last one belongs to none."""
        self._last = time.monotonic()

    def end(self, name: str) -> None:
        """Note that a step ends now, and that the next one begins. Those of one name are added up."""
        now = time.monotonic()
        self._steps[name] = self._steps.get(name, 0.0) + now - self._last
        self._last = now

    def field(self) -> tuple[str, str]:
        """Return the header field (name and value), with milliseconds and the whole time so far."""
        parts = [
            f'{name};desc="{_WORDS.get(name, name)}";dur={seconds * 1000:.1f}'
            for name, seconds in self._steps.items()
        ]
        parts.append(f"total;dur={(time.monotonic() - self._began) * 1000:.1f}")
        return "Server-Timing", ", ".join(parts)
