"""What a process for each request costs, and where: the warm engine beside a loop that only forks.

Starts the loop of `gateways/bare.py` and `cgikit fastcgi` with one worker, gives each the same number
of requests in turn, and prints the processor time of one request by the process that spent it. Needs
no web server and nothing installed; `--tree` measures other checkouts in the same rounds.
"""

import argparse
import compileall
import os
import random
import shutil
import sys
import tempfile
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median
from time import sleep

from gateways.cost import Cost, of_load
from gateways.fcgi import Client, get
from gateways.processes import Running, clean_environ, listening_socket, tree

HERE = Path(__file__).resolve().parent
SCRIPTS = {
    "print": "by_hand/get.py",
    "cgikit": "cgikit/get.py",
    "legacy-cgi": "legacy_cgi/get.py",
}
QUERY, ANSWER = "name=Zo%C3%AB%20%26%20Co", "Zoë &amp; Co!</p>".encode()
BARE = "accept, fork, exit"


@dataclass
class Row:
    """One contender: where it listens, what it is asked, and what each round has shown."""

    name: str
    running: Running
    client: Client
    costs: list[Cost] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)

    def measure(self, requests: int, connections: int) -> Cost:
        """Send requests and see what they cost."""
        load = partial(self.client.this_many, requests, connections)
        return of_load(self.name, [self.running.pid], load)

    def settle(self, connections: int) -> None:
        """Send requests until no worker is replaced any more: what the script imports is learnt."""
        known: list[int] | None = None
        while known != (known := self._living()):
            self.client.at_full_load(1.5, connections)
            sleep(0.5)

    def _living(self) -> list[int]:
        """Return the processes that stay: the loop reaps its last children with the next request."""
        return sorted(pid for pid, state in tree(self.running.pid).items() if state not in "ZX")

    def median(self, what: str) -> float:
        """Return the median of one figure over the rounds."""
        return median(getattr(cost, what) for cost in self.costs)

    @property
    def total(self) -> float:
        """Seconds of processor time for one request."""
        return median(cost.serving + cost.forking + cost.child for cost in self.costs)


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add = parser.add_argument
    add("--scripts", default="print,cgikit", help=f"of {', '.join(SCRIPTS)}; default: %(default)s")
    add("--rounds", type=int, default=7, help="how often each is measured (%(default)s)")
    add("--requests", type=int, default=1_000, help="in each round (%(default)s)")
    add("--connections", type=int, default=4, help="at once (%(default)s)")
    add("--latency", action="store_true", help="also at half of the load that the engine takes")
    add("--reuse", action="store_true", help="also with one process for many requests")
    add("--tree", action="append", default=[], help="another checkout, may be repeated")
    chosen = parser.parse_args()
    chosen.scripts = chosen.scripts.split(",")
    if unknown := set(chosen.scripts) - set(SCRIPTS):
        parser.error(
            f"no such script: {', '.join(sorted(unknown))}; there are {', '.join(SCRIPTS)}"
        )
    return chosen


def lay_out(home: Path, names: list[str]) -> None:
    """Copy the scripts as a site has them."""
    for name in names:
        copy = home / SCRIPTS[name].replace("/", "-")
        copy.write_text(f"#!{sys.executable}\n{(HERE / 'scripts' / SCRIPTS[name]).read_text()}")
        copy.chmod(0o755)


def start_bare(home: Path, tree: Path) -> Row:
    """Start the loop that only forks."""
    path = home / "bare.sock"
    listener = listening_socket(path)
    program = [sys.executable, str(HERE / "gateways" / "bare.py")]
    environ = clean_environ(PYTHONPATH=str(tree))
    running = Running(program, home / "bare.log", environ, stdin=listener, as_server=False)
    listener.close()
    running.wait_for(path)
    return Row(BARE, running, Client(path, get("/x.py", QUERY), ANSWER))


def start_warm(
    home: Path, tree: Path, name: str, label: str, number: int, reuse: bool = False
) -> Row:
    """Start the engine with one worker, for one script: what it has learnt from others costs too."""
    path = home / f"{number}.sock"
    program = [sys.executable, "-m", "cgikit", "fastcgi", str(home / "cgi-bin"), "--socket"]
    program += [str(path), "--workers", "1", *(["--reuse", "*"] if reuse else [])]
    environ = clean_environ(PYTHONPATH=str(tree))
    running = Running(program, home / f"{number}.log", environ, as_server=False)
    running.wait_for(path)
    request = get(f"/{SCRIPTS[name].replace('/', '-')}", QUERY)
    kind = "reuse" if reuse else "warm"
    return Row(f"{kind}: {name}{label}", running, Client(path, request, ANSWER))


def show(rows: list[Row], latency: bool) -> None:
    """Print the tables."""
    bare = rows[0]
    heads = ("worker, µs", "zygote, µs", "child, µs", "all, µs", "faults of the child")
    ratios = ("times the loop's processor time", "of the loop's requests/s")
    print(f"| | {' | '.join((*heads, *ratios))} |")
    print("|---" + "|--:" * len((*heads, *ratios)) + "|")
    for row in rows:
        parts = [f"{row.median(what) * 1e6:.0f}" for what in ("serving", "forking", "child")]
        rates = median(
            one.rate / other.rate for one, other in zip(row.costs, bare.costs, strict=True)
        )
        cells = [*parts, f"{row.total * 1e6:.0f}", f"{row.median('faults'):.0f}"]
        cells += [f"{row.total / bare.total:.2f}", f"{rates:.2f}"]
        print(f"| {row.name} | {' | '.join(cells)} |")
    if latency:
        for row in rows:
            print(f"p50 at half load: {row.name}: {median(row.latencies) * 1e3:.2f} ms")


def run(rows: list[Row], chosen: argparse.Namespace) -> None:
    """Measure each contender once a round, in shuffled order."""
    for row in rows:
        row.settle(chosen.connections)
    for turn in range(chosen.rounds):
        for row in random.Random(turn).sample(rows, len(rows)):
            row.costs.append(row.measure(chosen.requests, chosen.connections))
    if chosen.latency:
        slowest = min(row.median("rate") for row in rows)
        for turn in range(chosen.rounds):
            for row in random.Random(turn).sample(rows, len(rows)):
                row.latencies.append(row.client.at_rate(2.0, slowest / 2).percentile(0.5))


def main() -> None:
    """Start everything, measure, print, end everything."""
    chosen = options()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    trees = [HERE.parent, *[Path(other).resolve() for other in chosen.tree]]
    for place in trees:
        compileall.compile_dir(place / "cgikit", quiet=1)
    home = Path(tempfile.mkdtemp(prefix="cgikit-fork-"))
    rows: list[Row] = []
    try:
        (home / "cgi-bin").mkdir()
        lay_out(home / "cgi-bin", chosen.scripts)
        rows.append(start_bare(home, trees[0]))
        for name in chosen.scripts:
            for place in trees:
                label = f", {place}" if len(trees) > 1 else ""
                for reuse in (False, True) if chosen.reuse else (False,):
                    rows.append(start_warm(home, place, name, label, len(rows), reuse))
        load = os.getloadavg()[0]
        run(rows, chosen)
        print(f"Load before: {load:.2f}; {chosen.rounds} rounds of {chosen.requests} requests.")
        show(rows, chosen.latency)
    finally:
        for row in rows:
            row.running.stop()
        shutil.rmtree(home)


if __name__ == "__main__":
    main()
