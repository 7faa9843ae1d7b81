"""What is done before the first fork, and that it still has its effect: page faults are counted.

Each step is taken away in turn from a real engine, and a request must cost more page faults then. No
clock is looked at.
"""

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from gatewayserving import HEAD, Gateway, gateway
from serving import until

from cgikit.warm.program import is_recent, stamp_of

ROOT = Path(__file__).parents[2]
#: Starts `cgikit fastcgi`; the words before it are done first, in the zygote and in the supervisor.
DRIVER = """
import sys
from cgikit.cli import main
from cgikit.warm import supervisor, workerprocess
in_zygote, here = sys.argv[1:3]
supervisor.MAX_LEARNING = 0  # which would replace the zygote
workerprocess._CODE = (
    "import sys; sys.path[0] = sys.argv.pop(1); import cgikit.warm.{0} as role\\n"
    f"if '{{0}}' == 'zygote':\\n    {in_zygote}\\n"
    "sys.exit(role.main())"
)
exec(here)
sys.exit(main(sys.argv[sys.argv.index("cgikit") + 1 :]))
"""
CGIKIT = "from cgikit import run\nrun(lambda request: request.query.get('name', ''))"
BLOCKS, REQUESTS = 10, 5


def faults(pid: int) -> int:
    """Page faults of the children of a process that were reaped (proc_pid_stat(5), cminflt)."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[8])


def cost(server: Gateway, path: str) -> float:
    """Page faults of one request's process: the least of some, since what else runs makes more."""
    (zygote,) = server.zygotes()
    found = []
    for _ in range(BLOCKS):
        assert until(lambda: not server.scripts())
        before = faults(zygote)
        for _ in range(REQUESTS):
            server.request(path)
        assert until(lambda: not server.scripts())
        found.append((faults(zygote) - before) / REQUESTS)
    assert server.zygotes() == [zygote]
    return min(found)


def costs(place: Path, in_zygote: str = "pass", here: str = "pass") -> dict[str, float]:
    """Page faults by script, with an engine in which something was changed first."""
    place.mkdir()
    driver = (sys.executable, "-c", DRIVER, in_zygote, here)
    with gateway("fastcgi", place, "--workers", "1", before=driver) as server:
        plain = server.script("plain.py", f"{HEAD}print('plain')")
        own = server.script("own.py", CGIKIT)
        for path in (plain, own):  # one that may change unseen is compiled for each request
            file = server.root / path[1:]
            assert until(lambda file=file: not is_recent(stamp_of(file.stat())))
            server.request(path)
        return {"plain": cost(server, plain), "own": cost(server, own)}


class Usual:
    """What requests cost when nothing is taken away: the least that any engine has shown so far."""

    ENGINES = 4

    def __init__(self, place: Path) -> None:
        self.place = place
        self.least = {"plain": float("inf"), "own": float("inf")}
        self.engines = 0

    def is_exceeded(self, without: dict[str, float], by: dict[str, float]) -> bool:
        """Whether `without` is dearer by more than `by`. What else the machine does only adds faults
        to either, so another engine is asked before the answer is no.
        """
        while not (found := all(without[name] > self.least[name] + by[name] for name in by)):
            if self.engines == self.ENGINES:
                break
            self.engines += 1
            new = costs(self.place / str(self.engines))
            self.least = {name: min(cost, new[name]) for name, cost in self.least.items()}
        return found


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Usual:
    """Engines from which nothing is taken away, started when they are needed."""
    return Usual(tmp_path_factory.mktemp("usual"))


def test_without_a_rehearsal_a_request_copies_more(usual: Usual, tmp_path: Path) -> None:
    without = costs(tmp_path / "root", "role.rehearse = lambda zygote: None")
    # Measured: 20 to 40 more for the plain script, 28 to 57 for the other, by Python's version.
    assert usual.is_exceeded(without, {"plain": 6, "own": 15}), (without, usual.least)


def test_with_holes_in_memory_a_request_copies_more(usual: Usual, tmp_path: Path) -> None:
    without = costs(tmp_path / "root", "role.fill_holes = lambda: []")
    assert usual.is_exceeded(without, {"own": 2}), (without, usual.least)


def test_a_program_that_is_bound_later_is_bound_in_every_child(
    usual: Usual, tmp_path: Path
) -> None:
    without = costs(tmp_path / "root", here="workerprocess.BIND_NOW.clear()")
    # A Python that is one file has hardly anything to bind.
    by = 2 if sysconfig.get_config_var("Py_ENABLE_SHARED") else -5
    assert usual.is_exceeded(without, {"plain": by}), (without, usual.least)


@pytest.mark.parametrize(
    ("allocator", "fills"), [("", True), ("pymalloc", True), ("malloc", False)]
)
def test_holes_are_filled_only_in_the_memory_of_pythons_own_allocator(
    allocator: str, fills: bool
) -> None:
    """With another one there are no pools: 10 MiB were taken for nothing, in every worker."""
    code = "from cgikit.warm.rehearsal import fill_holes; print(sum(map(len, fill_holes())))"
    environment = {**os.environ, "PYTHONMALLOC": allocator}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, check=True, cwd=ROOT
    )
    size = int(done.stdout)
    assert size > 100_000 if fills else size == 0
    assert size < 4_000_000
