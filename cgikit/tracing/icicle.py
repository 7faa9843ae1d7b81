"""The imports of a trace as an icicle (SVG 1.1): each below the one that asked for it, as wide as it
took. Pure.

Beside it, for each import: what it took with all that it imported itself, and without that.
"""

from collections.abc import Sequence

from .folding import asked_by
from .step import Step, Trace
from .svg import milliseconds, percent, plain

_ROW = 24  # pixels
_LEAST = 0.6  # percent of the width: what is less is put together
_NAMED = 4  # percent: a smaller box has no room for a name
_DEEPEST = 24  # rows


class Import:
    """An import: its `.step`, what it took by `.own` (float, microseconds), and those `.within` it."""

    __slots__ = ("own", "step", "within")

    def __init__(self, step: Step) -> None:
        self.step = step
        self.own = step.duration
        self.within: list[Import] = []

    @property
    def module(self) -> str:
        """The module's name (str)."""
        return self.step.name.removeprefix("import ")


def imports_of(trace: Trace) -> tuple[list[Import], list[Import]]:
    """Return the imports that no other import asked for, and all of them; both in the order in which
    they began.
    """
    outer: list[Import] = []
    every: list[Import] = []
    open_: list[Import] = []
    for step in sorted(trace.imports, key=lambda one: (one.start, one.depth)):
        found = Import(step)
        while open_ and open_[-1].step.depth >= step.depth:
            open_.pop()
        if open_ and step.end <= open_[-1].step.end + 1e-6:  # a nanosecond is lost in the rounding
            open_[-1].within.append(found)
            open_[-1].own = max(0.0, open_[-1].own - step.duration)
        else:
            open_.clear()
            outer.append(found)
        open_.append(found)
        every.append(found)
    return outer, every


def inline(outer: Sequence[Import]) -> str:
    """Return the picture as a part of a page that has the style sheet (str, HTML); "" without imports
    that took time.
    """
    whole = sum(one.step.duration for one in outer)
    if whole <= 0:
        return ""
    cells: list[str] = []
    deepest = 0
    waiting: list[tuple[Sequence[Import], float, float, int]] = [(outer, 0.0, 100.0, 0)]
    while waiting:
        row, x, end, depth = waiting.pop()
        small: list[Import] = []
        for one in row:
            width = min(end - x, percent(one.step.duration, whole))
            if width < _LEAST:
                small.append(one)
                continue
            cells.append(_cell(one, x, width, depth))
            deepest = max(deepest, depth)
            if one.within and depth + 1 < _DEEPEST:
                waiting.append((one.within, x, x + width, depth + 1))
            x += width
        took = sum(one.step.duration for one in small)
        width = min(end - x, percent(took, whole))
        if width >= _LEAST:
            words = f"{len(small)} small import{'s' * (len(small) != 1)}"
            cells.append(_rect(words, f"{words}: {milliseconds(took)}", x, width, depth))
            deepest = max(deepest, depth)
    about = (
        f"The whole width is {milliseconds(whole)}. Each box is an import, below the one that asked "
        "for it, and as wide as it took. The table below has the numbers."
    )
    return (
        f'<svg class="chart icicle" width="100%" height="{(deepest + 1) * _ROW}" role="img" '
        'aria-labelledby="icicle-title icicle-about"><title id="icicle-title">The imports</title>'
        f'<desc id="icicle-about">{about}</desc>{"".join(cells)}</svg>'
    )


def _cell(one: Import, x: float, width: float, depth: int) -> str:
    by = asked_by(one.step)
    about = f"{one.module}: {milliseconds(one.step.duration)}, by itself {milliseconds(one.own)}"
    return _rect(one.module, f"{about}{', by ' * bool(by)}{by}", x, width, depth)


def _rect(name: str, about: str, x: float, width: float, depth: int) -> str:
    """Return a box; an <svg> of its own cuts the name where the box ends."""
    words = f'<text x="4" y="16">{plain(name, 60)}</text>' if width >= _NAMED else ""
    return (
        f'<svg x="{x:.3f}%" y="{depth * _ROW}" width="{width:.3f}%" height="{_ROW}">'
        f"<title>{plain(about, 500)}</title>"
        f'<rect class="cell" width="100%" height="{_ROW}"/>'
        f"{words}</svg>"
    )
