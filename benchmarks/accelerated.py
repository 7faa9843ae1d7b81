"""Measure scripts with a front of `cgikit accelerate` against bare Python: whole processes.

    python3 benchmarks/accelerated.py --rounds 200

Each way is a whole process, from the spawn until it is reaped, in the environment of a GET. Every
round runs each way once, in shuffled order, and compares its answer. The table has the median of the
ratios of all rounds to an empty script of bare Python: of the time that passes, and of processor time
(user and system). For a front, that of its daemon and of the daemon's children counts too; the kernel
tells it in ticks of 10 ms, so it is a mean over all rounds.

If root runs it, all ways run as a user of their own: scripts of root have no fronts.
"""

import argparse
import os
import random
import resource  # noqa: F401 -- of `os.wait4`, while it can still be read
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean, median
from time import perf_counter_ns

from gateways.accelerated import Fronts, copied
from gateways.processes import clean_environ
from run import cgi_environ
from run_gateways import VENV, interpreter
from surroundings import facts, prepare
from works import WORKS

HERE = Path(__file__).parent
USER = 12_345 if os.geteuid() == 0 else None
WORK = next(work for work in WORKS if work.name == "get")
EMPTY = "an empty script"
#: What runs, by the directory of its script.
SCRIPTS = {"a cgikit script": "cgikit", "a legacy-cgi script": "legacy_cgi", "prints": "by_hand"}
TICK = os.sysconf("SC_CLK_TCK")


@dataclass
class Way:
    """A command, what it has to answer, and its fronts if it is one."""

    command: list[str]
    answer: str
    fronts: Fronts | None = None
    seconds: list[float] = field(default_factory=list)
    used: list[float] = field(default_factory=list)  # processor time of the process itself
    daemon: float = 0.0  # processor time of the daemon and its children, in seconds


def ways(place: Path, venv: Path) -> dict[str, Way]:
    """Return each way by its name; the first is what the others are compared with."""
    python = venv / "bin" / "python3"
    (place / "empty.py").touch()
    found = {EMPTY: Way([str(python), str(place / "empty.py")], "")}
    for name, directory in SCRIPTS.items():
        source = HERE / "scripts" / directory / "get.py"
        folder = copied(source, place / directory, python)
        found[name] = Way([str(folder / "get.py")], WORK.answer(1))
        for kind, shown in (("perl", "Perl"), ("python", "Python")):
            folder = copied(source, place / f"{directory}-{kind}", python)
            fronts = Fronts(folder, place / f"daemon-{folder.name}", kind, python, USER)
            front = Way([str(folder / "get.cgi")], WORK.answer(1), fronts)
            found[f"{name}, front in {shown}"] = front
    return found


def once(way: Way) -> tuple[float, float]:
    """Run a way; return the time that passed and the processor time, in seconds."""
    script = way.command[-1]
    environ = {**cgi_environ(WORK, 0), **clean_environ(), "SCRIPT_FILENAME": script}
    os.chdir(os.path.dirname(script))
    reader, writer = os.pipe()
    streams = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_DUP2, writer, 1),
        (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),  # Python says that cgi is deprecated
    ]
    start = perf_counter_ns()
    pid = os.posix_spawn(way.command[0], way.command, environ, file_actions=streams)
    os.close(writer)
    output = b"".join(iter(lambda: os.read(reader, 65_536), b""))
    _, status, used = os.wait4(pid, 0)
    passed = perf_counter_ns() - start
    os.close(reader)
    if status or output.decode().replace("\r\n", "\n").partition("\n\n")[2].strip() != way.answer:
        raise SystemExit(f"{way.command}: status {status}, {output!r}")
    return passed / 1e9, used.ru_utime + used.ru_stime


def daemon_used(way: Way) -> float:
    """Return the processor time of a way's daemon and of its children that have ended, in seconds."""
    if way.fronts is None:
        return 0.0
    stat = Path(f"/proc/{way.fronts.daemon()}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, stat[11:15])) / TICK


def measure(found: dict[str, Way], rounds: int) -> None:
    """Run every way `rounds` times, and note what it took."""
    for way in found.values():
        if way.fronts:
            way.fronts.begin(lambda one=way: once(one))  # type: ignore[misc]
    before = {name: daemon_used(way) for name, way in found.items()}
    direct = {name: way.fronts.direct() for name, way in found.items() if way.fronts}
    for turn in range(rounds):
        for name in random.Random(turn).sample(list(found), len(found)):
            passed, used = once(found[name])
            found[name].seconds.append(passed)
            found[name].used.append(used)
    for name, way in found.items():
        way.daemon = daemon_used(way) - before[name]
        if way.fronts and (missed := way.fronts.direct() - direct[name]):
            print(f"{name}: {missed} of {rounds} ran directly", file=sys.stderr)


def table(found: dict[str, Way]) -> str:
    """Return the table."""
    bare = found[EMPTY]
    lines = ["| | time | ratio | processor time | ratio |", "|---|---|---|---|---|"]
    lowest = mean(bare.used)
    for name, way in found.items():
        ratio = median(a / b for a, b in zip(way.seconds, bare.seconds, strict=True))
        used = mean(way.used) + way.daemon / len(way.used)
        lines.append(
            f"| {name} | {median(way.seconds) * 1000:.2f} ms | {ratio:.2f} "
            f"| {used * 1000:.2f} ms | {used / lowest:.2f} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Set up, measure, print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--no-setup", action="store_true", help="take .venv-gateways as it is")
    arguments = parser.parse_args()
    where = dict(facts("python3 benchmarks/accelerated.py"))
    if not arguments.no_setup:
        prepare(interpreter(), VENV, ("legacy-cgi", "gunicorn", "waitress"))
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        if USER is not None:
            os.chown(place, USER, USER)
        found = ways(place, VENV)
        try:
            if USER is not None:
                os.setgroups([])
                os.setresgid(USER, USER, 0)
                os.setresuid(USER, USER, 0)
            measure(found, arguments.rounds)
        finally:
            os.chdir("/")
            for way in found.values():
                if way.fronts:
                    way.fronts.stop()
            if USER is not None:
                os.setresuid(0, 0, 0)
    print(f"{arguments.rounds} rounds, load when it began: {where['load when it began']}\n")
    print(table(found))


if __name__ == "__main__":
    main()
