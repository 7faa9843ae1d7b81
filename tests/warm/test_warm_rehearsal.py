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


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> dict[str, float]:
    """What requests cost when nothing is taken away."""
    return costs(tmp_path_factory.mktemp("usual") / "root")


def test_without_a_rehearsal_a_request_copies_more(usual: dict[str, float], tmp_path: Path) -> None:
    without = costs(tmp_path / "root", "role.rehearse = lambda zygote: None")
    assert without["plain"] > usual["plain"] + 15
    assert without["own"] > usual["own"] + 15


def test_with_holes_in_memory_a_request_copies_more(
    usual: dict[str, float], tmp_path: Path
) -> None:
    without = costs(tmp_path / "root", "role.fill_holes = lambda: []")
    assert without["own"] > usual["own"] + 2


def test_a_program_that_is_bound_later_is_bound_in_every_child(
    usual: dict[str, float], tmp_path: Path
) -> None:
    take = "workerprocess.BIND_NOW.clear()"
    without = costs(tmp_path / "root", here=take)
    if sysconfig.get_config_var("Py_ENABLE_SHARED"):
        assert without["plain"] > usual["plain"] + 2
    else:  # such a Python has hardly anything to bind
        assert without["plain"] > usual["plain"] - 5


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
    assert size > 500_000 if fills else size == 0
    assert size < 4_000_000
