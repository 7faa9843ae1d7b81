"""All that is measured of one request: how often the script runs for it, in which ways, in which order.

The numbers are taken by `measure` and `comparison`; this module says how many, and when a comparison is
left out: of a request that may change something it is made only if it is asked for.
"""

import os
import statistics
import time
from collections.abc import Callable

from . import comparison
from .comparison import TracedRequest
from .folding import middle
from .measure import Failed, measure
from .sitetime import measure_site
from .step import Step, Trace
from .story import with_site
from .way import Way

LEAST = 5  # runs in each way that are compared; from as many on medians mean something
SLOW = 5_000_000.0  # microseconds: a script that takes longer is compared only if that is asked for
_SAFE = ("GET", "HEAD")  # they are expected to change nothing (RFC 9110 section 9.2.1)


class Measured:
    """`.traces` are the runs whose steps were taken, `.plain` those without asking the interpreter
    (lists of `Trace`), `.ways` the same request in other ways (list of `Way`; empty if nobody asked).
    `.is_changed` tells whether the script's file was replaced, changed or removed meanwhile (bool).
    """

    def __init__(self) -> None:
        self.traces: list[Trace] = []
        self.plain: list[Trace] = []
        self.ways: list[Way] = []
        self.is_changed = False

    @property
    def cost(self) -> float | None:
        """What asking the interpreter took (float, microseconds), None if that is not known."""
        if min(len(self.traces), len(self.plain)) < LEAST or not middle(self.traces).is_inside:
            return None
        asked, not_asked = (
            statistics.median(trace.total for trace in some) for some in (self.traces, self.plain)
        )
        return asked - not_asked


def measure_all(
    request: TracedRequest,
    runs: int,
    compare: bool | None,
    announce: Callable[[int], None] = lambda more: None,
    done: Callable[[int, int], None] = lambda done, of: None,
) -> Measured:
    """Trace a request `runs` times, and compare ways to run the script: if `compare` is None, for GET
    and HEAD. `announce` is told how often at most the script will run beyond `runs`, before it does;
    `done` how many runs are done, and of how many. Raises `Failed` and `OSError` as `measure` does.
    """
    before = _stamp(request.file)
    found = _measured(request, runs, compare, announce, done)
    found.is_changed = _stamp(request.file) != before
    return found


def _stamp(file: str) -> tuple[int, ...]:
    """Return what tells a file from its successor (tuple of int); () if there is none."""
    try:
        status = os.stat(file)
    except OSError:
        return ()
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _measured(
    request: TracedRequest,
    runs: int,
    compare: bool | None,
    announce: Callable[[int], None],
    done: Callable[[int, int], None],
) -> Measured:
    found = Measured()
    method = request.variables.get("REQUEST_METHOD", "GET")
    is_repeated = method in _SAFE if compare is None else compare
    with_plain = runs >= LEAST and is_repeated  # else it runs as often as it was asked to, no more
    before = runs * (1 + with_plain)
    for number in range(runs):
        found.traces.append(_run(request, inside=True))
        if with_plain:
            found.plain.append(_run(request, inside=False))
        done((number + 1) * (1 + with_plain), before)
    _divide(request, found.traces)
    if compare is False:
        return found
    whys = _why_not(request, middle(found.traces), compare)
    if all(whys.values()):
        found.ways = [Way(name, why) for name, why in whys.items()]
        return found
    each = max(runs, LEAST)
    missing = 0 if with_plain else each
    more = missing + sum(each + comparison.WARMING_UP[name] for name in whys if not whys[name])
    announce(more + runs * with_plain)
    counted = [before]

    def one() -> None:
        counted[0] += 1
        done(counted[0], before + more)

    end = time.monotonic() + comparison.SECONDS
    try:
        for _ in range(missing):
            found.plain.append(_run(request, inside=False))
            one()
            if time.monotonic() > end:
                break
    except Failed as error:  # as the first run did not
        found.ways = [Way(name, str(error)) for name in whys]
        return found
    found.ways = [_cgi(found.plain), *comparison.compare(request, each, one)]
    return found


def _run(request: TracedRequest, *, inside: bool) -> Trace:
    environment = {**request.base, **request.variables}
    return measure(request.file, environment, request.body, inside=inside, user=request.user)


def _divide(request: TracedRequest, traces: list[Trace]) -> None:
    """Make a step of site, as long as it takes in the interpreter alone."""
    interpreter = traces[0].interpreter
    if not interpreter:
        return
    site = measure_site(interpreter, request.base, request.user)
    for trace in traces:
        if site is not None:
            trace.steps = with_site(trace.steps, site)


def _why_not(request: TracedRequest, trace: Trace, compare: bool | None) -> dict[str, str]:
    """Return for warm and persistent why the request is not measured in that way; "" if it is."""
    why = ""
    method = request.variables.get("REQUEST_METHOD", "GET")
    if trace.status:
        why = "the script failed"
    elif compare is None and method not in _SAFE:
        why = f"a {method} may change something, and would be repeated; --compare measures it"
    elif compare is None and trace.total > SLOW:
        why = "it takes long, and would be repeated; --compare measures it"
    return {name: reason or why for name, reason in comparison.why_not(request).items()}


def _cgi(plain: list[Trace]) -> Way:
    way = Way("CGI")
    way.requests = [(_first(trace.steps, trace.total), trace.total) for trace in plain]
    return way


def _first(steps: list[Step], otherwise: float) -> float:
    return next((step.start for step in steps if step.name == "first byte"), otherwise)
