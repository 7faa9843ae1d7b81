"""A trace for people: a tree with bars, and a verdict in words. Pure."""

import statistics
from collections.abc import Sequence

from ..characters import printable
from .folding import asked_by, fold, is_import
from .icicle import imports_of
from .step import Step, Trace
from .way import Way, measured, scale, skipped

_NAMES = 34  # columns
_NUMBERS = 10
BLOCK = "█"  # of bars


class Row:
    """A line of the tree: its `.words`, its `.bar` (str), and its `.kind`, by which it may be coloured:
    a step's name, import, or way (str).
    """

    def __init__(self, words: str, bar: str = "", kind: str = "") -> None:
        self.words = words
        self.bar = bar
        self.kind = kind

    def __str__(self) -> str:
        return f"{self.words}{self.bar}".rstrip()


def rows(trace: Trace, width: int = 80, ways: Sequence[Way] = (), block: str = BLOCK) -> list[Row]:
    """Return a line for each step: its name, its milliseconds, a bar where it lies in the whole, made
    of the character `block`. Below, on the same scale, a line for each of the other `ways` that were
    measured.
    """
    room = max(10, width - _NAMES - _NUMBERS - 2)
    whole = scale(trace.total, ways) or 1.0
    lines = []
    for step, has_bar in _shown(trace):
        name = printable(f"{'  ' * step.depth}{step.name}")
        number = _ms(step.duration) if step.duration else f"at {step.start / 1_000:.1f}"
        bar = _bar(step, whole, room, block) if has_bar else ""
        lines.append(Row(_words(name, number), bar, "import" if is_import(step) else step.name))
    lines.append(Row(_words("whole", _ms(trace.total))))
    found = measured(ways)
    if found:
        lines += [Row(""), Row("The same request, without asking the interpreter:")]
    for way in found:
        name = f"{way.name}, median of {len(way.requests)}"
        bar = _bar(Step(name, 0.0, way.median), whole, room, block)
        lines.append(Row(_words(name, _ms(way.median)), bar, "way"))
    return lines


def tree(trace: Trace, width: int = 80, ways: Sequence[Way] = ()) -> list[str]:
    """Return the lines of `rows` as text."""
    return [str(row) for row in rows(trace, width, ways)]


def _words(name: str, number: str) -> str:
    return f"{name[:_NAMES]:{_NAMES}}{number:>{_NUMBERS}}  "


def _ms(microseconds: float) -> str:
    return f"{microseconds / 1_000:.2f} ms"


def dearest(trace: Trace, most: int = 20) -> list[str]:
    """Return a line for each of the imports that took longest by themselves, without what they import;
    [] if there was none.
    """
    _, every = imports_of(trace)
    shown = sorted(every, key=lambda one: -one.own)[:most]
    if not shown:
        return []
    lines = [
        f"{'import':{_NAMES}}{'by itself':>{_NUMBERS}}{'in all':>{_NUMBERS}}   of {len(every)}, in ms"
    ]
    for one in shown:
        name, by = printable(one.module)[:_NAMES], asked_by(one.step)
        own, whole = one.own / 1_000, one.step.duration / 1_000
        line = f"{name:{_NAMES}}{own:{_NUMBERS}.2f}{whole:{_NUMBERS}.2f}   {'by ' * bool(by)}{by}"
        lines.append(line.rstrip())
    return lines


def _bar(step: Step, whole: float, room: int, block: str) -> str:
    begin = min(room - 1, int(step.start / whole * room))
    length = max(1, round(step.duration / whole * room))
    return " " * begin + (block * min(length, room - begin) if step.duration else "|")


def _shown(trace: Trace) -> list[tuple[Step, bool]]:
    """Return the steps, each with whether it has a bar. One line stands for the small imports, where
    the first of them began; they lie anywhere, so a bar would cover what is not theirs.
    """
    folded = fold(trace)
    shown = [(step, True) for step in folded.steps]
    if folded.small:
        small = Step(folded.small_name, folded.small[0].start, folded.small_time, 1)
        shown.append((small, False))
    return sorted(shown, key=lambda row: (row[0].start, row[0].depth))


def verdict(trace: Trace, cost: float | None = None, ways: Sequence[Way] = ()) -> list[str]:
    """Return what the trace comes to, in words. `cost` is what asking the interpreter took
    (microseconds), if that is known; `ways` are the other ways that were measured, or not and why.
    """
    whole = trace.total
    lines = []
    outer = [step for step in trace.imports if step.depth == 1]
    imports = sum(step.duration for step in outer)
    if trace.is_inside and outer:
        dearest = max(outer, key=lambda step: step.duration)
        name = printable(dearest.name.removeprefix("import "))
        lines.append(
            f"{imports / 1_000:.1f} of {whole / 1_000:.1f} ms are imports; the dearest is {name} "
            f"({dearest.duration / 1_000:.1f} ms){_by(dearest)}."
        )
    started = sum(
        step.duration
        for step in trace.steps
        if step.name in ("fork", "exec", "interpreter", "site")
    )
    if trace.is_inside:
        line = f"{started / 1_000:.1f} ms pass before the script is read."
        if not measured(ways):
            line += (
                " A warm process (page reference/warm) repeats neither these nor the imports of "
                "installed modules."
            )
        lines.append(line)
    else:
        lines.append(
            "The program does not tell about itself: it is no Python, or its first line has -I, -E or "
            "-S. Only what is seen from outside was measured."
        )
    lines += [printable(line) for line in skipped(ways)]
    if cost is not None and cost > 0:
        lines.append(
            f"Asking the interpreter took {cost / 1_000:.1f} ms of this (difference of two medians)."
        )
    elif cost is not None:
        lines.append("What asking the interpreter took is less than the spread.")
    return lines


def _by(step: Step) -> str:
    """Say who asked for an import."""
    by = asked_by(step)
    return f", by {by}" if by else ""


def spread(traces: Sequence[Trace]) -> list[str]:
    """Return the rows of `spread_of` as lines."""
    lines = [f"{'step':16}{'median':>10}{'least':>10}{'most':>10}   of {len(traces)}, in ms"]
    for name, *numbers in spread_of(traces):
        lines.append(f"{name:16}" + "".join(f"{each / 1_000:10.2f}" for each in numbers))
    return lines


def spread_of(traces: Sequence[Trace]) -> list[tuple[str, float, float, float]]:
    """Return the name, the median, the least and the most (float, microseconds) of each step of depth 0
    and of the whole, for several traces of one script.
    """
    found = []
    names = [step.name for step in traces[0].steps if step.depth == 0 and step.duration]
    for name in [*names, "whole"]:
        times = sorted(
            trace.total
            if name == "whole"
            else sum(s.duration for s in trace.steps if s.depth == 0 and s.name == name)
            for trace in traces
        )
        found.append((name, statistics.median(times), times[0], times[-1]))
    return found
