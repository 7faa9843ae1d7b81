"""The steps of traces as a waterfall (SVG 1.1): a row for each step, all traces on one scale. Pure.

Horizontal positions are percentages, so the labels keep their size on a small screen. No script, no
link, nothing that is loaded.
"""

from collections.abc import Sequence
from typing import NamedTuple

from ..characters import printable
from ..html import escape
from .folding import asked_by, fold, is_import
from .step import Step, Trace
from .style import CHART, PALETTE
from .way import Way, measured, scale

_WIDTH = 720  # of the picture in a file, pixels
_ROW, _HEAD, _TOP = 32, 30, 22  # pixels
_NAME = 40  # characters that fit a phone, with the number beside them
_INDENT = 10  # pixels
_DEEPEST = 8  # levels that are indented
_TRACES = 10
_KINDS = ("fork", "exec", "interpreter", "site", "compile", "script", "program", "exit", "reaped")


def waterfall(traces: Sequence[Trace], ways: Sequence[Way] = ()) -> str:
    """Return a picture that stands alone (str, SVG); below the steps, a row for each of the other
    `ways` that were measured.
    """
    inner, height = _picture(traces, ways)
    style = f"<style>{PALETTE}{CHART}.ground{{fill:var(--card)}}</style>"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH + 20}" height="{height + 20}" '
        f'viewBox="-10 -10 {_WIDTH + 20} {height + 20}" class="chart" role="img" '
        f'aria-labelledby="waterfall-title waterfall-about">{style}'
        f'<rect class="ground" x="-10" y="-10" width="{_WIDTH + 20}" height="{height + 20}"/>'
        f'<svg width="{_WIDTH}" height="{height}">{inner}</svg></svg>\n'
    )


def inline(traces: Sequence[Trace], ways: Sequence[Way] = ()) -> str:
    """Return the picture as a part of a page that has the style sheet (str, HTML)."""
    inner, height = _picture(traces, ways)
    return (
        f'<svg class="chart" width="100%" height="{height}" role="img" '
        f'aria-labelledby="waterfall-title waterfall-about">{inner}</svg>'
    )


def milliseconds(microseconds: float) -> str:
    """Return a duration in words (str)."""
    return f"{microseconds / 1_000:,.2f} ms"


def plain(text: str, most: int) -> str:
    """Return a text as markup, cut after `most` characters (str)."""
    return escape(printable(text if len(text) <= most else f"{text[: most - 1]}…"))


def percent(part: float, whole: float) -> float:
    """Return which part of the whole this is, from 0 to 100 (float)."""
    return min(100.0, max(0.0, part / whole * 100)) if whole > 0 else 0.0


class _Row(NamedTuple):
    """One row: where it begins from above (pixels), and whether there is a bar."""

    step: Step
    y: int
    whole: float
    has_bar: bool


def _picture(traces: Sequence[Trace], ways: Sequence[Way]) -> tuple[str, int]:
    """Return what is in the picture, and its height in pixels."""
    shown = traces[:_TRACES]
    whole = scale(max((trace.total for trace in shown), default=0.0), ways)
    parts, y = [], _TOP
    for trace in shown:
        if len(shown) > 1:
            name = trace.script.rpartition("/")[2]
            parts.append(f'<text class="head" y="{y + 20}">{plain(name, _NAME)}</text>')
            y += _HEAD
        folded = fold(trace)
        rows = [(step, True) for step in folded.steps]
        if folded.small:
            small = Step(folded.small_name, folded.small[0].start, folded.small_time, 1)
            rows.append((small, False))  # they lie anywhere
        for step, has_bar in rows:
            parts.append(_row(_Row(step, y, whole, has_bar)))
            y += _ROW
    for number, way in enumerate(measured(ways)):
        if not number:
            parts.append(f'<text class="head" y="{y + 20}">The same request, not asked</text>')
            y += _HEAD
        name = f"{way.name}, median of {len(way.requests)}"
        parts.append(_row(_Row(Step(name, 0.0, way.median), y, whole, True)))
        y += _ROW
    if not parts:
        parts.append(f'<text y="{y + 14}">No step was measured.</text>')
        y += _ROW
    about = (
        f"{len(shown)} trace{'s' * (len(shown) != 1)}, from 0 to {milliseconds(whole)}. "
        "Each row is a step: its name, what it took, and a bar where it lies in the whole."
    )
    head = (
        '<title id="waterfall-title">The steps of the request</title>'
        f'<desc id="waterfall-about">{escape(about)}</desc>{_scale(whole, y)}'
    )
    return head + "".join(parts), y


def _scale(whole: float, height: int) -> str:
    """Return lines at a quarter, the half and three quarters, with their times above."""
    found = []
    for quarter, anchor in ((0, "start"), (1, "middle"), (2, "middle"), (3, "middle"), (4, "end")):
        x = quarter * 25
        found.append(f'<line x1="{x}%" x2="{x}%" y1="{_TOP - 6}" y2="{height}"/>')
        if whole > 0:
            words = f"{whole / 4_000 * quarter:,.1f}{' ms' * (quarter == 4)}"
            found.append(
                f'<text class="scale" x="{x}%" y="11" text-anchor="{anchor}">{words}</text>'
            )
    return "".join(found)


def _row(row: _Row) -> str:
    step, y = row.step, row.y
    took = milliseconds(step.duration) if step.duration else f"at {milliseconds(step.start)}"
    indent = min(step.depth, _DEEPEST) * _INDENT
    room = _NAME - len(took) - indent * _NAME // 300
    by = asked_by(step)
    about = f"{step.name}: {took}, from {milliseconds(step.start)}{', by ' * bool(by)}{by}"
    if step.note and not by and not is_import(step):
        about += f" ({step.note})"
    return (
        f"<g><title>{plain(about, 500)}</title>"
        f'<text x="{indent}" y="{y + 13}">{plain(step.name, max(8, room))}</text>'
        f'<text class="took" x="100%" y="{y + 13}" text-anchor="end">{took}</text>'
        f"{_bar(row) if row.has_bar else ''}</g>"
    )


def _bar(row: _Row) -> str:
    step = row.step
    x = percent(step.start, row.whole)
    if not step.duration:  # a moment
        x = min(x, 99.3)
        return f'<rect class="moment" x="{x:.3f}%" y="{row.y + 16}" width="3" height="12"/>'
    x = min(x, 99.5)
    width = min(100 - x, max(0.4, percent(step.duration, row.whole)))
    kind = "import" if is_import(step) else step.name if step.name in _KINDS else "other"
    place = f'x="{x:.3f}%" y="{row.y + 18}" width="{width:.3f}%" height="8"'
    return f'<rect class="{kind}" {place} rx="2"/>'
