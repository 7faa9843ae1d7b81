"""A trace as a page that stands alone (HTML5): it loads nothing, and runs no script. Pure.

The waterfall, the imports, the dialogue, and the numbers as tables. What is shown of a large trace is
limited, and the page says so.
"""

import heapq
from collections.abc import Sequence

from cgikit.inspector.markup import text

from . import icicle, svg
from .dialoguepage import section
from .folding import asked_by, fold, middle
from .legend import legend
from .step import Step, Trace
from .style import PAGE, POLICY
from .svg import milliseconds, plain
from .text import spread_of, verdict
from .way import Way, measured

_IMPORTS = 100  # rows
_ERRORS = 20  # lines
_NAME = 200  # characters


def page(traces: Sequence[Trace], cost: float | None = None, ways: Sequence[Way] = ()) -> str:
    """Return the page of one or several runs of a script (str). Of several, it shows the one whose
    whole is the median, and the spread of all. `cost` and `ways` are those of `text.verdict`.
    """
    if not traces:
        return _whole("nothing", "<h1>Nothing was traced</h1>")
    trace = middle(traces)
    name = plain(trace.script.rpartition("/")[2], _NAME)
    end = f"killed by signal {-trace.status}" if trace.status < 0 else f"exit status {trace.status}"
    runs = f" · the run with the median time, of {len(traces)}" if len(traces) > 1 else ""
    words = "".join(f"<p>{text(line)}</p>" for line in verdict(trace, cost, ways))
    return _whole(
        name,
        f"<h1>A request to <code>{name}</code></h1>"
        f'<p><b class="{"bad" if trace.status else "ok"}">{end}</b> · '
        f"{milliseconds(trace.total)} · {trace.size:,} bytes of output{runs}</p>{words}"
        f"<h2>Steps</h2>{svg.inline([trace], ways)}{_steps(trace)}{_legend(trace, ways)}"
        f"{_spread(traces)}{_ways(ways)}{_imports(trace)}"
        + (section(trace.dialogue, trace.script) if trace.dialogue else _errors(trace)),
    )


def _whole(name: str, body: str) -> str:
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{name} · cgikit trace</title><style>{PAGE}</style></head>"
        f"<body><main>{body}</main></body></html>\n"
    )


def _table(caption: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table whose cells are markup; the first of a row names it. All but notes are numbers."""
    top = "".join(f'<th scope="col"{_class(head)}>{head}</th>' for head in heads)
    lines = []
    for row in rows:
        cells = "".join(
            f"<td{_class(head)}>{cell}</td>" for head, cell in zip(heads[1:], row[1:], strict=True)
        )
        lines.append(f'<tr><th scope="row" class="name mono">{row[0]}</th>{cells}</tr>')
    return (
        f'<div class="wide" role="region" aria-label="{caption}" tabindex="0"><table>'
        f"<caption>{caption}</caption><thead><tr>{top}</tr></thead>"
        f"<tbody>{''.join(lines)}</tbody></table></div>"
    )


def _class(head: str) -> str:
    return "" if head in ("step", "module", "asked for by", "note", "way") else ' class="number"'


def _steps(trace: Trace) -> str:
    folded = fold(trace)
    rows = [
        (plain(step.name, _NAME), *map(milliseconds, (step.start, step.duration)), _note(step))
        for step in folded.steps
    ]
    if folded.small:
        rows.append((folded.small_name, "", milliseconds(folded.small_time), ""))
    table = _table("Steps as numbers", ("step", "begins at", "takes", "note"), rows)
    return f"<details><summary>The same as a table</summary>{table}</details>"


def _legend(trace: Trace, ways: Sequence[Way]) -> str:
    rows = "".join(
        f"<dt>{text(name)}</dt><dd>{text(what)}</dd>" for name, what in legend(trace, ways)
    )
    return f"<details><summary>What each of them is</summary><dl>{rows}</dl></details>"


def _note(step: Step) -> str:
    by = asked_by(step)
    return f"by {plain(by, _NAME)}" if by else plain(step.note, _NAME)


def _spread(traces: Sequence[Trace]) -> str:
    if len(traces) < 2:
        return ""
    rows = [
        (plain(name, _NAME), *map(_number, numbers))
        for name, *numbers in spread_of(traces)[:_IMPORTS]
    ]
    caption = f"Of {len(traces)} runs, in ms"
    return f"<h2>Spread</h2>{_table(caption, ('step', 'median', 'least', 'most'), rows)}"


def _ways(ways: Sequence[Way]) -> str:
    rows = [
        (
            f"{way.name}, {len(way.requests)}",
            *map(_number, (way.median, way.totals[0], way.totals[-1])),
        )
        for way in measured(ways)
    ]
    if not rows:
        return ""
    table = _table("Of so many requests, in ms", ("way", "median", "least", "most"), rows)
    return f"<h2>Warm and persistent</h2>{table}"


def _number(microseconds: float) -> str:
    """Return milliseconds without their unit, for a narrow table (str)."""
    return f"{microseconds / 1_000:,.2f}"


def _imports(trace: Trace) -> str:
    outer, every = icicle.imports_of(trace)
    if not every:
        return ""
    largest = heapq.nlargest(_IMPORTS, every, key=lambda one: one.own)
    rows = [
        (
            plain(one.module, _NAME),
            milliseconds(one.own),
            milliseconds(one.step.duration),
            plain(asked_by(one.step), _NAME),
        )
        for one in largest
    ]
    more = len(every) - len(rows)
    rest = f"<p>{more} more, each shorter, are not in the table.</p>" if more else ""
    heads = ("module", "by itself", "with its own", "asked for by")
    return (
        f"<h2>Imports ({len(every)})</h2>{icicle.inline(outer)}"
        f"<details><summary>The dearest, as a table</summary>"
        f"{_table('Imports as numbers', heads, rows)}{rest}</details>"
    )


def _errors(trace: Trace) -> str:
    if not trace.errors:
        return ""
    lines = "\n".join(plain(line, 1_000) for line in trace.errors[:_ERRORS])
    return f"<h2>Standard error</h2><pre>\n{lines}</pre>"
