"""What was measured behind web servers, as Markdown: GATEWAYS.md, and the part of
docs/understand/performance.md.

Every number comes from the run; the targets stand here.
"""

from dataclasses import dataclass, field
from math import inf, sqrt
from statistics import median

from gateways import contenders as who
from gateways.cost import Cost
from gateways.load import Load
from gateways.soak import Soak
from gateways.transfer import Transfer

Row = tuple[str, ...]
MIB = 1 << 20

# what, the contender, against which, at least how many times its requests a second
TARGETS = (
    ("The cgikit script, warm, against itself under mod_cgid", who.WARM, who.CGID, 20),
    ("The cgikit script, accelerated, against itself under mod_cgid", who.ACCELERATED, who.CGID, 2),
    (
        "The legacy-cgi script, accelerated, against itself",
        who.LEGACY_ACCELERATED,
        who.LEGACY_CGID,
        5,
    ),
    ("The legacy-cgi script, warm, against itself", who.LEGACY_WARM, who.LEGACY_CGID, 20),
    ("The same with cgikit.compat, warm", who.COMPAT_WARM, who.LEGACY_WARM, 1.5),
    ("A script that prints, warm, against itself", who.PRINT_WARM, who.PRINT_CGID, 20),
    ("The cgikit script with `--reuse` against itself, Apache", who.REUSED, who.CGID, 12),
    ("The same, nginx", who.REUSED_NGINX, who.CGID, 12),
    ("The legacy-cgi script with `--reuse`, Apache", who.LEGACY_REUSED, who.LEGACY_CGID, 30),
    ("The same, nginx", who.LEGACY_REUSED_NGINX, who.LEGACY_CGID, 30),
    ("Warm against Perl's persistent CGI::Fast", who.WARM, who.FAST, 0.85),
    ("Warm against a compiled Go CGI", who.WARM, who.GO, 5),
    ("Warm behind nginx, FastCGI, against Apache", who.WARM_NGINX, who.WARM, 1),
    ("Warm behind nginx, SCGI, against Apache FastCGI", who.WARM_NGINX_SCGI, who.WARM, 1),
    ("`run(handler)` persistent against CGI::Fast, Apache", who.PERSISTENT, who.FAST, 1),
    ("The same, nginx", who.PERSISTENT_NGINX, who.FAST_NGINX, 1),
)
# our modes on the same script: what, and the contender
MODES = (
    ("CGI: Apache mod_cgid", who.CGID),
    ("`cgikit accelerate`, front in Perl: Apache mod_cgid", who.ACCELERATED),
    ("`cgikit accelerate`, front in Python: Apache mod_cgid", who.PYTHON_FRONT),
    ("`cgikit serve`", who.SERVE),
    ("`cgikit fastcgi --spawn`, Apache", who.SPAWNED),
    ("`cgikit serve --warm`", who.SERVE_WARM),
    ("`cgikit fastcgi`, warm, Apache", who.WARM),
    ("`cgikit fastcgi`, warm, nginx", who.WARM_NGINX),
    ("`cgikit scgi`, warm, Apache", who.WARM_SCGI),
    ("`cgikit scgi`, warm, nginx", who.WARM_NGINX_SCGI),
    ("`cgikit fastcgi --reuse`, Apache", who.REUSED),
    ("`cgikit fastcgi --reuse`, nginx", who.REUSED_NGINX),
    ("`WSGI(handler)`, gunicorn behind nginx", who.GUNICORN),
    ("`WSGI(handler)`, mod_wsgi", who.MOD_WSGI),
    ("`run(handler)`, persistent, Apache", who.PERSISTENT),
    ("`run(handler)`, persistent, nginx", who.PERSISTENT_NGINX),
)
# what replaced CGI, how many times faster it was said to be, what of it is measured here
CLAIMS = (
    ("mod_perl", "10 to 30", "Perl CGI.pm to CGI::Fast, Apache", who.FAST, who.PERL_CGID),
    ("FastCGI", "5 to 20", "cgikit, CGI to persistent, Apache", who.PERSISTENT, who.CGID),
    ("PHP", "5 to 15", "PHP, CGI to FastCGI, Apache", who.PHP_FAST, who.PHP_CGID),
    ("servlets", "20 to 50", "not measured", "", ""),
    ("ASP", "10 to 20", "not measured", "", ""),
)
ADDED_P50, ADDED_P99 = 0.001, 0.005  # seconds that warm may add to the bare loop at half load
SLOW_P99 = 0.5  # seconds
FLAT = 8 * MIB  # more than this from 16 MiB to the large transfer is not flat
DOWNLOAD = 0.5  # of the server's own rate for a file


WHAT_TARGETS_ARE = """\
The target for each way, and what was measured in this run. Where a target is **not met**,
[Targets that were not met](#targets-that-were-not-met-and-why) has the reason. *Times* compares
requests a second in the same round. *Flat*: memory grows by no more than 8 MiB from a body of
16 MiB to one of 256 MiB."""


@dataclass
class Latency:
    """Warm and the bare loop at one fixed rate: (p50, p99) in seconds, a pair of pairs a round."""

    full: dict[str, float]  # requests a second at full load
    rate: float
    seconds: float
    bare: list[tuple[float, float]] = field(default_factory=list)
    warm: list[tuple[float, float]] = field(default_factory=list)

    def added(self, which: int) -> list[float]:
        """Return each round's difference of p50 (0) or p99 (1), sorted, in seconds."""
        pairs = zip(self.warm, self.bare, strict=True)
        return sorted(ours[which] - theirs[which] for ours, theirs in pairs)


@dataclass
class Slow:
    """Normal requests without and with slow clients beside them; p99 in seconds."""

    name: str
    clients: int
    alive: int  # of them, at the end
    before: float
    beside: float


@dataclass
class Results:
    """All that one run measured."""

    facts: list[tuple[str, str]]
    versions: list[tuple[str, str]]
    missing: dict[str, str]
    load: str
    samples: dict[str, list[Load]] = field(default_factory=dict)
    latency: Latency | None = None
    costs: list[Cost] = field(default_factory=list)
    slow: list[Slow] = field(default_factory=list)
    transfers: list[Transfer] = field(default_factory=list)
    soaks: list[Soak] = field(default_factory=list)

    @property
    def failed(self) -> int:
        """How many requests got no answer, or one with an error status."""
        loads = sum(load.failed for series in self.samples.values() for load in series)
        return loads + sum(soak.failed for soak in self.soaks)

    def ratios(self, one: str, other: str) -> list[float]:
        """Return the ratio of requests a second in every round, sorted."""
        pairs = zip(self.samples.get(one, ()), self.samples.get(other, ()), strict=False)
        return sorted(ours.rate / theirs.rate for ours, theirs in pairs)


HEAD = """# Benchmark results: behind web servers

Written by `make bench-gateways`; do not edit. What is measured, how, and how to read it:
[README.md](README.md#behind-web-servers).
"""


def render(results: Results) -> str:
    """Return the whole of GATEWAYS.md."""
    parts = [HEAD, f"## Targets\n\n{targets(results)}"]
    if results.samples:
        parts.append(f"## Requests a second\n\n{results.load}\n\n{throughput(results)}")
        parts.append(f"## The same script in each mode\n\n{modes(results)}")
        parts.append(f"## The classic claims\n\n{claims(results)}")
    if results.latency:
        parts.append(f"## Added latency\n\n{_latency(results.latency)}")
    if results.costs:
        parts.append(f"## Where the time goes\n\n{costs(results.costs)}")
    if results.slow:
        parts.append(f"## Slow clients\n\n{_slow(results.slow)}")
    if results.transfers:
        parts.append(f"## Large bodies\n\n{_transfers(results.transfers)}")
    if results.soaks:
        parts.append(f"## Many requests\n\n{_soaks(results.soaks)}")
    if results.missing:
        reasons = list(results.missing.items())
        parts.append(f"## Not measured\n\n{table(('contender', 'why'), reasons)}")
    parts.append(f"## Where\n\n{table(('what', 'which'), results.facts + results.versions)}")
    return "\n".join(parts)


def page_part(results: Results) -> str:
    """Return what stands between the markers of docs/understand/performance.md."""
    facts = dict(results.facts)
    where = f"{facts['date']}, {facts['processor']}, load before: {facts['load when it began']}."
    parts = [f"Measured by {facts['command']} on {where}"]
    if results.samples:
        parts += [
            "### The same script in each mode",
            modes(results),
            "### The classic claims",
            claims(results),
            *(("### Where the time goes", costs(results.costs)) if results.costs else ()),
            "### All contenders",
            results.load,
            throughput(results),
        ]
    parts += ["### The targets", WHAT_TARGETS_ARE, targets(results)]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def targets(results: Results) -> str:
    """Return the table of targets: all of them, whether measured or not."""
    rows = [
        (what, f"≥ {least:g} times", *_reached(results.ratios(one, other), least))
        for what, one, other, least in TARGETS
    ]
    rows += _latency_targets(results.latency)
    most = max((row.beside for row in results.slow), default=None)
    count = results.slow[0].clients if results.slow else 200
    rows.append(
        (
            f"{count} slow clients beside: p99 of normal requests, the worst way in",
            f"< {SLOW_P99 * 1000:.0f} ms",
            *(_met(_ms(most), most < SLOW_P99) if most is not None else _ABSENT),
        )
    )
    rows += _transfer_targets(results.transfers)
    rows += [
        (
            f"{soak.requests:,} requests, {soak.name}",
            "no descriptor, zombie or memory more",
            *_met(_growth(soak), _flat(soak)),
        )
        for soak in results.soaks
    ]
    return table(("work", "target", "measured", "verdict"), rows)


_ABSENT = ("not measured", "not measured")


def _reached(ratios: list[float], least: float) -> tuple[str, str]:
    if not ratios:
        return _ABSENT
    middle = median(ratios)
    return _met(f"{middle:.2f} times ({_interval(ratios)})", middle >= least)


def _met(shown: str, met: bool) -> tuple[str, str]:
    return shown, "met" if met else "**not met**"


def _latency_targets(latency: Latency | None) -> list[Row]:
    rows = []
    for which, name, most in ((0, "p50", ADDED_P50), (1, "p99", ADDED_P99)):
        shown = _ABSENT
        if latency:
            added = latency.added(which)
            middle = median(added)
            shown = _met(f"{middle * 1e3:.2f} ms ({_ms_interval(added)})", middle <= most)
        what = f"Latency that warm adds to accept, fork, exit at half load: {name}"
        rows.append((what, f"≤ {most * 1000:.0f} ms", *shown))
    return rows


def _transfer_targets(transfers: list[Transfer]) -> list[Row]:
    rows = []
    for way in transfers:
        small, size = min(way.up_peaks), max(way.up_peaks)
        up, down = (peaks[size] - peaks[small] for peaks in (way.up_peaks, way.down_peaks))
        rows.append(
            (
                f"{size // MIB} MiB up and down, {way.name}: memory",
                "flat",
                *_met(f"{up / MIB:+.1f} and {down / MIB:+.1f} MiB", max(up, down) <= FLAT),
            )
        )
        if way.static:
            share = way.down / way.static
            shown = _met(f"{share:.2f}", share >= DOWNLOAD)
            rows.append(("The same: download over the server's own file", f"≥ {DOWNLOAD}", *shown))
    return rows


def throughput(results: Results) -> str:
    """Return the table of all contenders."""
    rows = []
    for name, loads in results.samples.items():
        rates = sorted(load.rate for load in loads)
        rows.append(
            (
                name,
                f"**{_times(results.ratios(name, who.FAST))}**",
                f"{_times(results.ratios(name, who.CGID))}",
                f"{median(rates):,.0f}",
                f"{rates[0]:,.0f} to {rates[-1]:,.0f}",
                f"{median(load.p50 for load in loads) * 1000:.2f}",
                f"{median(load.p99 for load in loads) * 1000:.2f}",
                f"{sum(load.failed for load in loads)}",
            )
        )
    head = (
        "contender",
        "to CGI::Fast, Apache",
        "to the cgikit script, mod_cgid",
        "requests a second",
        "range",
        "p50, ms",
        "p99, ms",
        "failed",
    )
    return table(head, rows, right=1)


def modes(results: Results) -> str:
    """Return the table of our modes on the same script."""
    rows = [
        (what, _times(ratios), _interval(ratios))
        for what, name in MODES
        if (ratios := results.ratios(name, who.CGID))
    ]
    return table(("mode", "times CGI", "interval"), rows, right=1)


def claims(results: Results) -> str:
    """Return the table of the classic claims and what of them was measured here."""
    rows = [
        (what, said, here, _times(results.ratios(one, other)))
        for what, said, here, one, other in CLAIMS
    ]
    rows += [
        ("cgikit", "", f"{script}, CGI to warm, Apache", _times(results.ratios(one, other)))
        for script, one, other in (
            ("a script with cgikit", who.WARM, who.CGID),
            ("a script with legacy-cgi", who.LEGACY_WARM, who.LEGACY_CGID),
            ("a script that prints", who.PRINT_WARM, who.PRINT_CGID),
        )
    ]
    return table(("what replaced CGI", "said to be, times", "here", "measured, times"), rows)


def costs(found: list[Cost]) -> str:
    """Return the table of processor time."""
    rows = []
    for row in found:
        parts = (row.serving, row.forking, row.child)
        shown = [f"{part * 1e6:,.0f}" for part in (*parts, sum(parts))]
        rows.append((row.name, *shown, f"{row.faults:.0f}", f"{row.rate:,.0f}"))
    head = (
        "straight into the FastCGI socket",
        "serving, µs",
        "forking, µs",
        "its own process, µs",
        "all, µs",
        "page faults",
        "requests a second",
    )
    note = (
        "Processor time for each request. *Serving*: processes that read requests and send answers; "
        "*forking*: those that fork and reap; *its own process*: the one that runs the script, "
        "from fork to exit, and the page faults that it takes."
    )
    return f"{note}\n\n{table(head, rows, right=1)}"


def _latency(latency: Latency) -> str:
    note = (
        f"FastCGI without a web server. At full load the bare loop answered "
        f"{latency.full['bare']:,.0f} and warm {latency.full['warm']:,.0f} requests a second; "
        f"both then got {latency.rate:,.0f} a second, evenly, for {latency.seconds:g} s a round. "
        "A request's time counts from the moment at which it was due. Milliseconds, medians of "
        f"{len(latency.bare)} rounds."
    )
    rows = [
        (
            name,
            *(f"{median(one[which] for one in pairs) * 1000:.2f}" for which in (0, 1)),
        )
        for name, pairs in (("accept, fork, exit", latency.bare), ("warm", latency.warm))
    ]
    rows.append(
        ("added, median of the rounds", *(f"{median(latency.added(n)) * 1000:.2f}" for n in (0, 1)))
    )
    return f"{note}\n\n{table(('what', 'p50', 'p99'), rows, right=1)}"


def _slow(slow: list[Slow]) -> str:
    rows = [
        (
            row.name,
            _ms(row.before),
            _ms(row.beside),
            f"{row.clients}",
            f"{row.alive}",
        )
        for row in slow
    ]
    head = ("way in", "p99 without", "p99 beside them", "slow clients", "of them at the end")
    return table(head, rows, right=1)


def _transfers(transfers: list[Transfer]) -> str:
    rows = []
    for way in transfers:
        own = f"{way.static / MIB:,.0f}" if way.static else ""
        rows.append(
            (
                way.name,
                f"{way.up / MIB:,.0f}",
                f"{way.down / MIB:,.0f}",
                own,
                f"**{way.down / way.static:.2f}**" if way.static else "",
                " / ".join(f"{peak / MIB:.1f}" for peak in way.up_peaks.values()),
                " / ".join(f"{peak / MIB:.1f}" for peak in way.down_peaks.values()),
            )
        )
    sizes = " / ".join(f"{size // MIB}" for size in transfers[0].up_peaks)
    head = (
        "way in",
        "up, MiB/s",
        "down, MiB/s",
        "its own file, MiB/s",
        "ratio",
        f"peak up of {sizes} MiB",
        f"peak down of {sizes} MiB",
    )
    note = (
        "Peak: the proportional set size in MiB of all of cgikit's processes and the script's, "
        "sampled every 10 ms; the web server's own are not in it."
    )
    return f"{note}\n\n{table(head, rows, right=1)}"


def _soaks(soaks: list[Soak]) -> str:
    rows = [
        (
            soak.name,
            f"{soak.requests:,}",
            *(
                f"{one} / {other}"
                for one, other in (
                    (soak.before.processes, soak.after.processes),
                    (soak.before.zombies, soak.after.zombies),
                    (soak.before.descriptors, soak.after.descriptors),
                )
            ),
            f"{soak.before.memory / MIB:.2f} / {soak.after.memory / MIB:.2f}",
            f"{soak.failed}",
        )
        for soak in soaks
    ]
    head = ("way in", "requests", "processes", "zombies", "descriptors", "memory, MiB", "failed")
    note = (
        "Before / after, in the processes that stay. Memory: what no file backs, after "
        "a tenth more requests and at the end. Flat: less than a byte more for each request."
    )
    return f"{note}\n\n{table(head, rows, right=1)}"


def _growth(soak: Soak) -> str:
    descriptors = soak.after.descriptors - soak.before.descriptors
    memory = (soak.after.memory - soak.before.memory) / 1024
    return f"{descriptors:+d}, {soak.after.zombies}, {memory:+.0f} KiB"


def _flat(soak: Soak) -> bool:
    return (
        soak.after.descriptors <= soak.before.descriptors
        and not soak.after.zombies
        and not soak.failed
        and soak.after.memory - soak.before.memory < soak.requests
    )


def _times(ratios: list[float]) -> str:
    if not ratios:
        return ""
    middle = median(ratios)
    return f"{middle:.2f}" if middle < 10 else f"{middle:.1f}"


def _interval(ordered: list[float]) -> str:
    """Return the 95 % confidence interval of the median, as report.py does."""
    if not ordered:
        return ""
    low, high = _reach(len(ordered))
    return f"{ordered[low]:.2f} to {ordered[high]:.2f}"


def _ms(seconds: float) -> str:
    return "no answer" if seconds == inf else f"{seconds * 1000:.1f} ms"


def _ms_interval(ordered: list[float]) -> str:
    low, high = _reach(len(ordered))
    return f"{ordered[low] * 1000:.2f} to {ordered[high] * 1000:.2f}"


def _reach(n: int) -> tuple[int, int]:
    reach = 1.96 * sqrt(n) / 2
    return max(0, round(n / 2 - reach)), min(n - 1, round(n / 2 + reach))


def table(head: Row, rows: list[Row], right: int = 99) -> str:
    """Format a Markdown table; columns from `right` on are aligned right."""
    rule = "".join("--:|" if column >= right else "---|" for column in range(len(head)))
    lines = [f"| {' | '.join(row)} |" for row in (head, *rows)]
    return "\n".join([lines[0], f"|{rule}", *lines[1:]]) + "\n"
