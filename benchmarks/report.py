"""From samples to RESULTS.md: medians, quartiles, ratios, and whether each target is met.

No figure and no verdict is written down here; all are computed from the run.
"""

from dataclasses import dataclass, field
from math import sqrt
from statistics import median, quantiles

from contenders import Contender
from works import PEAK_TARGET, Target, Work


@dataclass
class Series:
    """One work's samples: seconds by contender, the n-th of each from the same round."""

    work: Work
    samples: dict[str, list[float]]

    def ratios(self, contender: str, against: str) -> list[float]:
        """Return the ratio of every round, sorted; empty where one of the two did not run."""
        pairs = zip(self.samples.get(contender, ()), self.samples.get(against, ()), strict=False)
        return sorted(one / other for one, other in pairs)


@dataclass
class Results:
    """All that one run measured."""

    facts: list[tuple[str, str]]
    contenders: list[Contender]
    rounds: int
    series: list[Series] = field(default_factory=list)
    peaks: dict[str, dict[int, int]] = field(default_factory=dict)
    micro: dict[str, dict[str, float]] = field(default_factory=dict)
    counting: dict[str, dict[str, float]] = field(default_factory=dict)


# name in micro.py, what it is, against what, how many times faster it should be (None: no target)
MICRO = (
    ("fields", "1,000 fields with escapes", "urllib.parse.parse_qsl", 3.0),
    ("fields-one-escape", "1,000 fields, one escape in each", "urllib.parse.parse_qsl", None),
    (
        "fields-bad-escape",
        "1,000 fields with escapes, a bad one last",
        "urllib.parse.parse_qsl",
        None,
    ),
    ("percents", "8 MiB of `%`, none of them an escape", "urllib.parse.parse_qsl", 10.0),
    ("cookies", "20 cookies, 4 percent-encoded", "http.cookies.SimpleCookie", 4.0),
    ("cookies-plain", "20 cookies, none percent-encoded", "http.cookies.SimpleCookie", None),
)
# name in counting.py, what it is, the share of the rate by hand that it should reach
COUNTING = (
    ("renamed", "`Counter.increment`", 0.5),
    ("hot", "`Counter.increment`, hot", None),
)
TOGETHER = (  # name in counting.py, what it is, the rate a second that it should reach
    ("renamed together", "Increments of one counter", None),
    ("hot together", "Increments of one hot counter", 20_000),
    ("expiring together", "Increments of 10,000 counters that expire", 5_000),
)
MIB = 1 << 20
Row = tuple[str, ...]


HEAD = """# Benchmark results

Written by `make bench`; do not edit. What is measured, how, and how to read it:
[README.md](README.md).
"""


def render(results: Results) -> str:
    """Return the whole of RESULTS.md."""
    parts = [
        HEAD,
        "## Targets\n\n" + _table(("work", "target", "measured", "verdict"), _targets(results)),
    ]
    parts += [_work(series) for series in results.series]
    if results.peaks:
        parts.append(_peaks(results))
    if results.micro:
        parts.append(_micro(results))
    if results.counting:
        parts.append(_counting(results.counting))
    parts.append("## Where\n\n" + _table(("what", "which"), results.facts))
    versions = [
        (c.name, c.missing + (f" ({c.package})" if c.missing else "") or c.version)
        for c in results.contenders
        if c.missing or c.version
    ]
    parts.append(
        "## Versions\n\n" + _table(("contender", "version, or why it is missing"), versions)
    )
    return "\n".join(parts)


def _targets(results: Results) -> list[Row]:
    rows = [
        (series.work.title, *_target(series, target))
        for series in results.series
        for target in series.work.targets
    ]
    if peaks := results.peaks.get("cgikit"):
        largest = max(peaks.values())
        sizes = " / ".join(f"{size // MIB:,}" for size in peaks)
        shown = " / ".join(f"{peak / MIB:.1f}" for peak in peaks.values())
        rows.append(
            (
                f"Peak memory of an upload of {sizes} MiB",
                f"≤ {PEAK_TARGET // MIB} MiB",
                f"{shown} MiB",
                _verdict(largest <= PEAK_TARGET),
            )
        )
    for name, title, against, wanted in MICRO:
        if wanted and name in results.micro:
            faster = results.micro[name]["theirs"] / results.micro[name]["ours"]
            target = f"≥ {wanted:g} times as fast as `{against}`"
            rows.append((title, target, f"{faster:.1f} times", _verdict(faster >= wanted)))
    for name, title, share in COUNTING:
        if share and (case := results.counting.get(name)):
            target = f"≥ {share:g} of the rate of the same steps by hand"
            rows.append((title, target, f"{case['ratio']:.2f}", _verdict(case["ratio"] >= share)))
    for name, title, least in TOGETHER:
        if least and (case := results.counting.get(name)):
            title = f"{title} by {case['processes']} processes, none lost"
            measured = f"{case['rate']:,.0f} a second"
            met = _verdict(case["rate"] >= least)
            rows.append((title, f"≥ {least:,} a second", measured, met))
    return rows


def _target(series: Series, target: Target) -> Row:
    sign = "<" if target.strictly else "≤"
    wanted = f"{sign} {target.ratio:.2f} times {target.against}"
    ratios = series.ratios(target.contender, target.against)
    if not ratios:
        return wanted, "not measured", "not measured"
    ratio = median(ratios)
    met = ratio < target.ratio if target.strictly else ratio <= target.ratio
    return wanted, f"{ratio:.3f} times ({_interval(ratios)})", _verdict(met)


def _verdict(met: bool) -> str:
    return "met" if met else "**not met**"


def _interval(ordered: list[float]) -> str:
    """Return the 95 % confidence interval of the median (order statistics: no shape assumed)."""
    n = len(ordered)
    reach = 1.96 * sqrt(n) / 2
    low, high = max(0, round(n / 2 - reach)), min(n - 1, round(n / 2 + reach))
    return f"{ordered[low]:.3f} to {ordered[high]:.3f}"


def _work(series: Series) -> str:
    rows = []
    for name, times in series.samples.items():
        low, middle, high = quantiles([t * 1000 for t in times], n=4, method="inclusive")
        ratios = series.ratios(name, series.work.floor)
        of_medians = middle / (median(series.samples[series.work.floor]) * 1000)
        ratio = f"**{median(ratios):.3f}**"
        rows.append(
            (
                name,
                f"{middle:.2f}",
                f"{low:.2f} to {high:.2f}",
                ratio,
                _interval(ratios),
                f"{of_medians:.3f}",
            )
        )
    rounds = len(series.samples[series.work.floor])
    head = ("contender", "median, ms", "quartiles", f"to {series.work.floor}", "95 %", "of medians")
    return f"## {series.work.title}\n\n{rounds} rounds.\n\n{_table(head, rows, right=1)}"


def _peaks(results: Results) -> str:
    sizes = sorted({size for found in results.peaks.values() for size in found})
    head = ("contender", *(f"{size // MIB:,} MiB" for size in sizes))
    rows = [
        (name, *(f"{found[size] / MIB:.1f}" if size in found else "" for size in sizes))
        for name, found in results.peaks.items()
    ]
    return f"## Peak memory of an upload, MiB\n\nOne run each.\n\n{_table(head, rows, right=1)}"


def _micro(results: Results) -> str:
    rows = []
    for name, title, against, _ in MICRO:
        if case := results.micro.get(name):
            rows.append(
                (
                    title,
                    f"`{against}`",
                    f"{case['ours'] * 1e6:.1f}",
                    f"{case['theirs'] * 1e6:.1f}",
                    f"**{case['theirs'] / case['ours']:.1f}**",
                    f"{case['first ours'] * 1e6:.0f}",
                    f"{case['first theirs'] * 1e6:.0f}",
                )
            )
    head = (
        "input",
        "against",
        "cgikit, µs",
        "theirs, µs",
        "times faster",
        "first, µs",
        "theirs, µs",
    )
    note = (
        "Best of many calls, alternating, in one process; both are checked to find the same. "
        "*first*: the first call in a fresh process, its imports included, median of 15."
    )
    return f"## The parsers alone\n\n{note}\n\n{_table(head, rows, right=2)}"


def _counting(found: dict[str, dict[str, float]]) -> str:
    alone = [
        (title, f"{case['ours']:,.0f}", f"{case['by hand']:,.0f}", f"**{case['ratio']:.2f}**")
        for name, title, _ in COUNTING
        if (case := found.get(name))
    ]
    together = [
        (f"{title}, {case['processes']} processes", f"{case['rate']:,.0f}", "", "")
        for name, title, _ in TOGETHER
        if (case := found.get(name))
    ]
    note = (
        "*By hand*: the same files opened, locked, read, written, renamed and closed, and nothing "
        "checked. Alternating blocks in one process; the ratio is the median of the blocks' ratios. "
        "Every number was compared with how often it was incremented."
    )
    head = ("what", "a second", "by hand", "ratio")
    return f"## Counters in files\n\n{note}\n\n{_table(head, alone + together, right=1)}"


def _table(head: Row, rows: list[Row], right: int = 99) -> str:
    """Format a Markdown table; columns from `right` on are aligned right."""
    rule = "".join("--:|" if column >= right else "---|" for column in range(len(head)))
    lines = [f"| {' | '.join(row)} |" for row in (head, *rows)]
    return "\n".join([lines[0], f"|{rule}", *lines[1:]]) + "\n"
