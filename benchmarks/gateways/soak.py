"""Very many requests: what the processes hold before and after."""

from dataclasses import dataclass
from pathlib import Path

from gateways.contenders import Contender
from gateways.load import checked
from gateways.processes import Held, settled

WARM_UP = 10  # a tenth of the requests before the first look: what is cached once is no growth
CONNECTIONS = 12


@dataclass(frozen=True)
class Soak:
    """One contender's requests, and what its processes held before and after."""

    name: str
    requests: int
    before: Held
    after: Held
    failed: int


def measure(
    who: Contender, roots: list[int], query: str, answer: str, requests: int, home: Path
) -> Soak:
    """Send at least `requests` requests."""
    _send(who, query, answer, requests // WARM_UP, home)
    before = settled(roots)
    sent, failed = _send(who, query, answer, requests, home)
    return Soak(who.name, sent, before, settled(roots), failed)


def _send(who: Contender, query: str, answer: str, requests: int, home: Path) -> tuple[int, int]:
    sent = failed = 0
    seconds = 1.0
    while sent < requests:
        load = checked(who, query, answer, seconds, CONNECTIONS, home)
        sent, failed = sent + load.requests, failed + load.failed
        seconds = min(60.0, max(1.0, (requests - sent) / load.rate))
    return sent, failed
