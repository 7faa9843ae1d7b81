"""Which steps of a trace are shown, and which are put together because they are small. Pure.

`text.py`, `svg.py` and `html.py` print what is left. However many steps a trace has, few are shown.
"""

import heapq
import os
from collections.abc import Sequence

from ..characters import printable
from .step import Step, Trace

_SMALL = 0.01  # of the whole: imports below are put together
_MOST = 100  # steps that are shown


class Folded:
    """`.steps` are those to show (list of `Step`), in the order in which they began. `.small` are the
    others, without those within one of them (list of `Step`).
    """

    def __init__(self, steps: list[Step], small: list[Step]) -> None:
        self.steps = steps
        self.small = small

    @property
    def small_name(self) -> str:
        """What stands for the small ones, such as "3 small imports" (str)."""
        kind = "import" if all(is_import(step) for step in self.small) else "step"
        return f"{len(self.small)} small {kind}{'s' * (len(self.small) != 1)}"

    @property
    def small_time(self) -> float:
        """What the small ones took (float, microseconds)."""
        return sum(step.duration for step in self.small)


def fold(trace: Trace, most: int = _MOST) -> Folded:
    """Return the steps of a trace to show, at most `most`: those of depth 0 first, then the longest."""
    least = trace.total * _SMALL
    ordered = sorted(trace.steps, key=lambda step: (step.start, step.depth))
    large = [step for step in ordered if not is_import(step) or step.duration >= least]
    if len(large) > most:
        kept = heapq.nlargest(most, large, key=lambda step: (step.depth == 0, step.duration))
        shown = {id(step) for step in kept}
    else:
        shown = {id(step) for step in large}
    small: list[Step] = []
    for step in ordered:
        if id(step) in shown or (small and _within(step, small[-1])):
            continue
        small.append(step)
    return Folded([step for step in ordered if id(step) in shown], small)


def is_import(step: Step) -> bool:
    """Whether a step is an import."""
    return step.name.startswith("import ")


def asked_by(step: Step) -> str:
    """Return who asked for an import, such as "prices.py:3" (str); "" if that is not known."""
    if not is_import(step) or not step.note or step.note.startswith("<"):
        return ""
    return printable(os.path.basename(step.note))


def middle(traces: Sequence[Trace]) -> Trace:
    """Return the trace whose whole is the median; of an even number, the longer of the two."""
    return sorted(traces, key=lambda each: each.total)[len(traces) // 2]


def _within(step: Step, other: Step) -> bool:
    return other.start <= step.start and step.end <= other.end and step.depth > other.depth
