"""Where the time of a request goes: the processor time and page faults of the processes behind it.

Read from /proc before and after a run at full load, straight into a FastCGI socket. A process whose
children ended meanwhile is one that forks; what the kernel added up for its children is theirs.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gateways.fcgi import Client, Outcome
from gateways.load import Wrong
from gateways.processes import tree

_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Cost:
    """One contender. Seconds of processor time and numbers of page faults, for each request."""

    name: str
    rate: float  # requests a second
    serving: float  # seconds of processes that stay and do not fork: protocol, files, supervision
    forking: float  # seconds of those that fork: fork() itself, and reaping
    child: float  # seconds of the request's own process
    faults: float  # minor page faults of the request's own process


def _counts(pid: int) -> tuple[float, float, float]:
    """Return a process's own seconds, its ended children's, and their minor faults (proc(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    own = (int(fields[11]) + int(fields[12])) / _TICK
    theirs = (int(fields[13]) + int(fields[14])) / _TICK
    return own, theirs, float(fields[8])


def measure(name: str, client: Client, roots: list[int], seconds: float, connections: int) -> Cost:
    """Load one contender and see what its processes took. Raises Wrong."""
    client.at_full_load(3, connections)  # and what the script imports is learnt
    return of_load(name, roots, lambda: client.at_full_load(seconds, connections))


def of_load(name: str, roots: list[int], load: Callable[[], Outcome]) -> Cost:
    """See what the processes at and below `roots` take while `load` runs. Raises Wrong."""
    pids = [pid for root in roots for pid, state in tree(root).items() if state not in "ZX"]
    before = {}
    for pid in pids:
        try:
            before[pid] = _counts(pid)
        except OSError:
            continue  # a request's own process, which has ended
    outcome = load()
    if outcome.failed or not outcome.latencies:
        raise Wrong(f"{name}: {outcome.failed} failed, as {outcome.example!r}")
    number = len(outcome.latencies)
    serving = forking = child = faults = 0.0
    for pid, (own, theirs, theirs_faults) in before.items():
        try:
            now = _counts(pid)
        except OSError:
            continue
        if now[2] - theirs_faults > number / 100:
            forking += now[0] - own
        else:
            serving += now[0] - own
        child += now[1] - theirs
        faults += now[2] - theirs_faults
    if faults < number:  # workers that were replaced meanwhile, and not a process for each request
        serving, forking, child, faults = serving + forking + child, 0.0, 0.0, 0.0
    rates = (serving / number, forking / number, child / number, faults / number)
    return Cost(name, outcome.rate, *rates)
