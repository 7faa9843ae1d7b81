"""Measure cgikit behind web servers beside its peers: `make bench-gateways`.

The order of things lives here: set up, start everything once, measure each part, report. What is
measured, how, and how to read it: README.md, "Behind web servers".
"""

import argparse
import os
import pwd
import random
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from math import inf
from pathlib import Path
from urllib.request import urlopen

import idleness
from gateways import contenders as table
from gateways import cost, soak, transfer
from gateways.accelerated import Fronts, copied
from gateways.contenders import Backend, Contender, backends, build_go, contenders, lay_out
from gateways.fcgi import Client, Outcome, get
from gateways.load import Wrong, checked
from gateways.processes import NotStarted, Running, free_ports, give, server_user
from gateways.report import Latency, Results, Slow, page_part, render
from gateways.sites import apache, nginx, which
from gateways.slow import over_fastcgi, over_http
from surroundings import ROOT, facts, prepare
from works import WORKS

HERE = Path(__file__).parent
VENV = ROOT / ".venv-gateways"
WRITTEN = HERE / "GATEWAYS.md"
PAGE = ROOT / "docs" / "understand" / "performance.md"
BEGIN, END = "<!-- measured: begin -->\n", "<!-- measured: end -->\n"
PARTS = ("throughput", "latency", "cost", "slow", "transfer", "soak")
WORK = next(work for work in WORKS if work.name == "get")
ANSWER = WORK.answer(1)
SLOW_WAYS = (table.WARM, table.WARM_NGINX, table.WARM_NGINX_SCGI, table.SERVE_WARM)
SOAK_WAYS = (table.WARM, table.WARM_NGINX_SCGI, table.REUSED_NGINX, table.PERSISTENT)
TRANSFER_WAYS = {  # and the contender that is the same server's own file
    table.CGID: table.STATIC,
    table.SPAWNED: table.STATIC,
    table.WARM: table.STATIC,
    table.WARM_SCGI: table.STATIC,
    table.WARM_NGINX: table.STATIC_NGINX,
    table.WARM_NGINX_SCGI: table.STATIC_NGINX,
    table.SERVE: "",
    table.SERVE_WARM: "",
}


class Bench:
    """Everything started, and how to measure it. `who` are the contenders that answer."""

    def __init__(self, chosen: argparse.Namespace, home: Path, venv: Path) -> None:
        self.chosen, self.home, self.venv = chosen, home, venv
        self.scripts, self.static = home / "scripts", home / "static"
        self.who: dict[str, Contender] = {}
        self.missing: dict[str, str] = {}
        self.roots: dict[str, list[int]] = {}
        self.addresses: dict[str, Path | int] = {}
        self.files: list[Path] = []
        self.fronts: dict[str, Fronts] = {}

    @contextmanager
    def everything(self) -> Iterator[None]:
        """Lay out the scripts, start backends and web servers; stop them at the end."""
        with ExitStack() as stack:
            self._lay_out()
            found = self._chosen()
            self._make_fronts(stack, found)
            ports = iter(free_ports(2 * len(found) + 2))
            for one in found:
                one.port = next(ports)
            self._start_backends(stack, found, ports)
            found = [one for one in found if one.name not in self.missing]
            self._start_sites(stack, found)
            self.who = {one.name: one for one in found}
            yield

    def _chosen(self) -> list[Contender]:
        words = [word.strip().lower() for word in self.chosen.only.split(",") if word.strip()]
        return [
            one
            for one in contenders()
            if not words or any(word in one.name.lower() for word in words)
        ]

    def _lay_out(self) -> None:
        lay_out(HERE / "scripts", self.scripts, self.venv)
        if not build_go(HERE / "scripts/go/get.go", self.scripts / "go/get", self.venv / "go"):
            self.missing[table.GO] = "go is not installed"
        self.static.mkdir()
        (self.static / "page.html").write_text(f"{ANSWER}\n")
        if {"transfer", "slow"} & set(self.chosen.parts):
            beside = self.scripts / "transfer"
            for name, size in (("small", transfer.SMALL), ("large", self.chosen.size << 20)):
                file = beside / f"{name}.bin"
                noise = random.Random(size).randbytes(1 << 20)
                with file.open("wb") as writer:
                    for number in range(size >> 20):
                        writer.write(number.to_bytes(8, "big") + noise[8:])
                os.link(file, self.static / file.name)
                self.files.append(file)

    def _start_backends(
        self, stack: ExitStack, found: list[Contender], ports: Iterator[int]
    ) -> None:
        known = backends(self.venv, self.scripts)
        needed = {one.backend for one in found if one.backend}
        if {"latency", "cost"} & set(self.chosen.parts):
            needed |= {"bare", "fcgi"}
        for name in sorted(needed):
            reason = self._start(stack, known[name], next(ports))
            for one in found:
                if one.backend == name:
                    if reason:
                        self.missing[one.name] = reason
                    elif isinstance(address := self.addresses[name], int):
                        one.port = address
                    else:
                        one.socket = address

    def _start(self, stack: ExitStack, backend: Backend, port: int) -> str:
        """Start one backend. Returns "" or why it is missing."""
        if backend.missing:
            return f"{backend.missing} is not installed"
        try:
            started, self.addresses[backend.name] = backend.start(self.home, port)
        except NotStarted as error:
            return one_line(str(error)[-300:])
        for one in started:
            stack.callback(one.stop)
        self.roots[backend.name] = [one.pid for one in started]
        return ""

    def _start_sites(self, stack: ExitStack, found: list[Contender]) -> None:
        starts = {
            "apache": lambda: apache(
                self.home / "apache", found, self.scripts, self.static, self.venv
            ),
            "nginx": lambda: nginx(self.home / "nginx", found, self.scripts, self.static),
        }
        for front, start in starts.items():
            if any(one.front == front for one in found):
                server: Running = start()
                stack.callback(server.stop)
                self.roots[front] = [server.pid]

    def _make_fronts(self, stack: ExitStack, found: list[Contender]) -> None:
        """Accelerate the scripts of those who are; each has a folder, and so a daemon, of its own."""
        user = pwd.getpwnam(server_user()).pw_uid if server_user() else None
        for one in found:
            if one.front_in:
                folder = self.scripts / one.script.partition("/")[0]
                source = HERE / "scripts" / folder.name.partition("-")[0] / "get.py"
                copied(source, folder, self.venv / "bin" / "python3")
                base = self.home / f"daemon-{folder.name}"
                made = Fronts(folder, base, one.front_in, self.venv / "bin" / "python3", user)
                stack.callback(made.stop)
                self.fronts[one.name] = made

    def _ask(self, name: str) -> None:
        url = f"http://127.0.0.1:{self.who[name].port}{self.who[name].path}?{WORK.query}"
        with urlopen(url) as answer:
            answer.read()

    def throughput(self) -> dict[str, list]:
        """Every contender once a round, in shuffled order."""
        samples: dict[str, list] = {name: [] for name in self.who}
        for name, fronts in self.fronts.items():
            fronts.begin(partial(self._ask, name))
        for name in list(self.who):
            try:
                self._load(name, 1)
            except Wrong as wrong:
                if not self.chosen.lenient:
                    raise Wrong(f"{wrong}\n{self._said(name)}") from wrong
                self.missing[name] = one_line(str(wrong))
                del self.who[name], samples[name]
        direct = {name: fronts.direct() for name, fronts in self.fronts.items()}
        for turn in range(self.chosen.rounds):
            for name in random.Random(turn).sample(list(self.who), len(self.who)):
                progress(f"Round {turn + 1} of {self.chosen.rounds}: {name}")
                samples[name].append(load := self._load(name, self.chosen.seconds))
                if load.failed:
                    print(f"\n{name}: {load.failed} failed\n{self._said(name)}", file=sys.stderr)
        for name, fronts in self.fronts.items():
            if missed := fronts.direct() - direct[name]:
                print(f"\n{name}: {missed} requests ran directly", file=sys.stderr)
        return samples

    def _said(self, name: str) -> str:
        """Return the end of what a contender's programs wrote to their logs."""
        one = self.who[name]
        logs = (self.home / f"{one.backend}.log", self.home / one.front / "error.log")
        return "\n".join(
            f"{log.name}: {log.read_text(errors='replace')[-2000:]}" for log in logs if log.exists()
        )

    def _load(self, name: str, seconds: float):
        one = self.who[name]
        return checked(one, WORK.query, ANSWER, seconds, self.chosen.connections, self.home)

    def latency(self) -> Latency | None:
        """Warm and the bare loop, first at full load, then at half of warm's."""
        if "fcgi" not in self.roots:
            return None
        request = get(f"/cgi-bin/{table.PY}", WORK.query)
        clients = {
            name: Client(self.addresses[backend], request, ANSWER.encode())
            for name, backend in (("bare", "bare"), ("warm", "fcgi"))
        }
        progress("Latency: full load")
        for client in clients.values():
            right(client.at_full_load(1, self.chosen.connections))
        full = {
            name: right(client.at_full_load(self.chosen.seconds, self.chosen.connections)).rate
            for name, client in clients.items()
        }
        found = Latency(full, full["warm"] / 2, self.chosen.seconds)
        for turn in range(self.chosen.rounds):
            for name in random.Random(turn).sample(list(clients), 2):
                progress(f"Latency: round {turn + 1} of {self.chosen.rounds}, {name}")
                outcome = right(clients[name].at_rate(self.chosen.seconds, found.rate))
                pair = outcome.percentile(0.5), outcome.percentile(0.99)
                (found.warm if name == "warm" else found.bare).append(pair)
        return found

    def costs(self) -> list[cost.Cost]:
        """Where the time goes: the bare loop, each script warm, and the persistent one."""
        rows = []
        for name, backend, script in (
            ("accept, fork, exit", "bare", table.PRINT),
            ("warm: a script that prints", "fcgi", table.PRINT),
            ("warm: the cgikit script", "fcgi", table.PY),
            ("warm: the legacy-cgi script", "fcgi", table.LEGACY),
            ("warm: the same with cgikit.compat", "fcgi", table.COMPAT),
            ("`--reuse`: the cgikit script", "reuse", table.PY),
            ("`--reuse`: the legacy-cgi script", "reuse", table.LEGACY),
            ("`run(handler)` persistent", "run", table.PY),
        ):
            if backend in self.roots:
                progress(f"Processor time: {name}")
                request = get(f"/cgi-bin/{script}", WORK.query)
                client = Client(self.addresses[backend], request, ANSWER.encode())
                size = (2 * self.chosen.seconds, self.chosen.connections)
                rows.append(cost.measure(name, client, self.roots[backend], *size))
        return rows

    def slow(self) -> list[Slow]:
        """Measure normal load without and with slow clients, by each way in."""
        rows = []
        count = self.chosen.slow
        for name in SLOW_WAYS:
            if name in self.who:
                progress(f"Slow clients: {name}")
                one = self.who[name]
                normal = (one, WORK.query, ANSWER, 2 * self.chosen.seconds, 4, self.home)
                before = checked(*normal).p99
                with over_http(one, count) as clients:
                    try:
                        beside = checked(*normal).p99
                    except (Wrong, TimeoutError):
                        beside = inf  # nobody else is answered any more
                    rows.append(Slow(name, count, clients.alive, before, beside))
        if "fcgi" in self.roots:
            progress("Slow clients: FastCGI without a web server")
            path = self.addresses["fcgi"]
            client = Client(path, get(f"/cgi-bin/{table.PY}", WORK.query), ANSWER.encode())
            before = right(client.at_rate(2 * self.chosen.seconds, 100)).percentile(0.99)
            with over_fastcgi(path, count) as clients:
                beside = right(client.at_rate(2 * self.chosen.seconds, 100)).percentile(0.99)
                rows.append(Slow("FastCGI, no web server", count, clients.alive, before, beside))
        return rows

    def transfers(self) -> list[transfer.Transfer]:
        """Large bodies by each way in."""
        rows = []
        for name, static in TRANSFER_WAYS.items():
            if name in self.who:
                progress(f"Large bodies: {name}")
                one = self.who[name]
                roots = self.roots[one.backend or one.front]
                port = self.who[static].port if static in self.who else None
                only = "" if one.backend else str(self.scripts)
                try:
                    rows.append(transfer.measure(one, port, roots, only, self.files))
                except (Wrong, OSError) as error:
                    if not self.chosen.lenient:
                        raise Wrong(f"{name}: {error}\n{self._said(name)}") from error
                    self.missing[f"{name}: large bodies"] = one_line(f"{error} {self._said(name)}")
        return rows

    def soaks(self) -> list[soak.Soak]:
        """Many requests by some ways in."""
        rows = []
        for name in SOAK_WAYS:
            if name in self.who:
                progress(f"{self.chosen.requests:,} requests: {name}")
                one, roots = self.who[name], self.roots[self.who[name].backend]
                number = self.chosen.requests
                rows.append(soak.measure(one, roots, WORK.query, ANSWER, number, self.home))
        return rows


def right(outcome: Outcome) -> Outcome:
    """Return an outcome in which every answer was right. Raises Wrong."""
    if outcome.failed or not outcome.latencies:
        raise Wrong(f"FastCGI: {outcome.failed} answers were wrong, as {outcome.example!r}")
    return outcome


def one_line(text: str) -> str:
    """Return the beginning of a text as it can stand in a table."""
    return " ".join(text.split())[:300].replace("|", "/")


def progress(text: str) -> None:
    """Show where the measurement is: one line, rewritten on a terminal."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add = parser.add_argument
    add("--quick", action="store_true", help="2 rounds of 1 s, 2,000 requests; write nothing")
    add("--parts", default=",".join(PARTS), help="which parts; default: %(default)s")
    add("--only", default="", help="words of contenders' names, with commas: only those")
    add("--rounds", type=int, default=7, help="how often each is measured (%(default)s)")
    add("--seconds", type=float, default=3, help="of each measurement (%(default)s)")
    add("--connections", type=int, default=12, help="at once (%(default)s)")
    add("--slow", type=int, default=200, help="slow clients (%(default)s)")
    add("--size", type=int, default=256, help="MiB of a large body (%(default)s)")
    add("--requests", type=int, default=200_000, help="of the soak (%(default)s)")
    add("--python", default=None, help="the interpreter; must run for the servers' user")
    add("--no-setup", action="store_true", help="take .venv-gateways as it is")
    add("--lenient", action="store_true", help="leave out who answers wrongly, and go on")
    add("--write", action="store_true", help="write the results though it is not the whole")
    add("--busy", action="store_true", help="do not wait until the machine is idle; write nothing")
    chosen = parser.parse_args()
    chosen.whole = not (chosen.quick or chosen.only or chosen.parts != ",".join(PARTS))
    chosen.parts = chosen.parts.split(",")
    if unknown := set(chosen.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    if chosen.quick:
        chosen.rounds, chosen.seconds, chosen.requests = 2, 1, 2000
    return chosen


def interpreter() -> str:
    """Return a Python that the servers' user can run: ours, or else the system's."""
    for candidate in (sys.executable, "/usr/bin/python3"):
        check = [candidate, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]
        try:
            if not subprocess.run(check, user=server_user(), cwd="/").returncode:
                return candidate
        except OSError:
            continue
    sys.exit("No Python 3.11 or later that www-data can run; name one with --python")


def versions(venv: Path) -> list[tuple[str, str]]:
    """List the programs that took part."""
    commands = {
        "interpreter of the scripts": [str(venv / "bin" / "python3"), "--version"],
        "Apache": [which("apache2"), "-v"],
        "nginx": [which("nginx"), "-v"],
        "Perl CGI::Fast": ["perl", "-MCGI::Fast", "-e", "print CGI::Fast->VERSION"],
        "PHP": ["php-cgi", "-v"],
        "Go": ["go", "version"],
        "gunicorn": [str(venv / "bin" / "gunicorn"), "--version"],
        "wrk": ["wrk", "-v"],
    }
    found = []
    for name, command in commands.items():
        try:
            done = subprocess.run(
                command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
            )
        except OSError:
            continue
        found.append((name, done.stdout.partition("\n")[0].partition(" Copyright")[0]))
    return found


def measure(chosen: argparse.Namespace, home: Path, venv: Path, command: str) -> Results:
    """Start everything and measure the parts that were chosen."""
    where = facts(command)
    bench = Bench(chosen, home, venv)
    with bench.everything():
        load = (
            f"wrk, {chosen.connections} connections from loopback, {chosen.seconds:g} s each, "
            f"{chosen.rounds} rounds; all ways in are up the whole time. {WORK.title}."
        )
        results = Results(where, versions(venv), bench.missing, load)
        # Slow clients come last: what they leave behind should disturb nobody.
        for part, run in (
            ("throughput", lambda: vars(results).update(samples=bench.throughput())),
            ("latency", lambda: vars(results).update(latency=bench.latency())),
            ("cost", lambda: vars(results).update(costs=bench.costs())),
            ("soak", lambda: vars(results).update(soaks=bench.soaks())),
            ("transfer", lambda: vars(results).update(transfers=bench.transfers())),
            ("slow", lambda: vars(results).update(slow=bench.slow())),
        ):
            if part in chosen.parts:
                idleness.wait_for(chosen)
                try:
                    run()
                except (Wrong, OSError) as error:
                    if not chosen.lenient:
                        raise
                    bench.missing[f"the part {part}"] = one_line(str(error))
    progress("")
    return results


def write(results: Results) -> None:
    """Write GATEWAYS.md, and the part of docs/understand/performance.md between its markers."""
    WRITTEN.write_text(render(results))
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{BEGIN}\n{page_part(results)}\n{END}{after}")
    print(f"Written to {WRITTEN.relative_to(ROOT)} and {PAGE.relative_to(ROOT)}")


def main() -> int:
    """Set up, measure, report. Returns the exit status: 1 when an answer was wrong or missing, or
    the machine busy.
    """
    chosen = options()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # and still stop what was started
    command = shlex.join(["python3", *sys.orig_argv[1:]])
    progress("Setting up .venv-gateways")
    venv = VENV
    if not chosen.no_setup:
        peers = ("legacy-cgi", "gunicorn", "waitress")
        prepare(chosen.python or interpreter(), venv, peers)
    with tempfile.TemporaryDirectory(prefix="cgikit-gateways-") as scratch:
        home = Path(scratch)
        home.chmod(0o755)
        give(home)
        try:
            results = measure(chosen, home, venv, command)
        except (Wrong, idleness.Busy) as error:
            progress("")
            print(error, file=sys.stderr)
            return 1
    print(render(results))
    if (chosen.whole or chosen.write) and not chosen.busy:
        write(results)
    if results.failed:
        print(f"{results.failed} requests failed", file=sys.stderr)
    return 1 if results.failed else 0


if __name__ == "__main__":
    sys.exit(main())
