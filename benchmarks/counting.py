"""In one process, and in eight: counters in files against the same steps by hand, without any checks.

Run by run.py with the virtual environment's interpreter, in the directory where the files shall lie;
prints JSON: rates a second. Every measurement ends with a look whether all was counted.
"""

import fcntl
import json
import os
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter

from cgikit import Counter, ExpiringCounters

BLOCKS = 30
TIMES = 300  # increments in a block
PROCESSES = 8
EACH = 20_000  # hot increments of each process; a tenth of them where files are renamed


def by_hand_renamed(path: str) -> None:
    """Lock, read, write a new file, rename it: the steps of a Counter."""
    lock = os.open(path + ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    fcntl.flock(lock, fcntl.LOCK_EX)
    old = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    number = int(os.read(old, 100)) + 1
    os.close(old)
    new = os.open(path + ".new", os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
    os.write(new, b"%d\n" % number)
    os.close(new)
    os.replace(path + ".new", path)
    os.close(lock)


def by_hand_in_place(path: str) -> None:
    """Lock, read, write over it: the steps of a hot Counter."""
    lock = os.open(path + ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    fcntl.flock(lock, fcntl.LOCK_EX)
    file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    number = int(os.pread(file, 100, 0)) + 1
    os.pwrite(file, b"%19d\n" % number, 0)
    os.close(file)
    os.close(lock)


def block(step: Callable[[], object]) -> float:
    """Return the rate of one block, a second."""
    start = perf_counter()
    for _ in range(TIMES):
        step()
    return TIMES / (perf_counter() - start)


def compare(name: str, hot: bool, by_hand: Callable[[str], None]) -> dict[str, float]:
    """Alternate blocks of both; return their median rates, and the median of the blocks' ratios."""
    ours, theirs = f"{name}-ours", f"{name}-by-hand"
    for path in (ours, theirs):
        Path(path).write_text("0\n")
    counter = Counter(ours, hot=hot)
    rates = [(block(counter.increment), block(lambda: by_hand(theirs))) for _ in range(BLOCKS)]
    for path in (ours, theirs):
        check(path, BLOCKS * TIMES)
    return {
        "ours": median(one for one, _ in rates),
        "by hand": median(other for _, other in rates),
        "ratio": median(one / other for one, other in rates),
    }


def in_children(work: Callable[[int], None]) -> float:
    """Run `work` in eight processes at once; return how many seconds that takes."""
    start = perf_counter()
    children = []
    for child in range(PROCESSES):
        if not (pid := os.fork()):
            try:
                work(child)
                os._exit(0)
            finally:
                os._exit(1)
        children.append(pid)
    if [os.waitpid(pid, 0)[1] for pid in children] != [0] * PROCESSES:
        raise SystemExit("a process that counts failed")
    return perf_counter() - start


def together(path: str, hot: bool, each: int) -> dict[str, float]:
    """Return the rate, a second, at which many processes increment one counter."""

    def work(_: int) -> None:
        counter = Counter(path, 600, hot=hot)
        for _ in range(each):
            counter.increment()

    seconds = in_children(work)
    check(path, PROCESSES * each)
    return {"rate": PROCESSES * each / seconds, "processes": PROCESSES}


def expiring_together(path: str, names: int, each: int) -> dict[str, float]:
    """Return the rate, a second, at which many processes increment many counters of one file."""
    counters = ExpiringCounters(path, 3600, most=names, timeout=600)
    for number in range(names):
        counters[_address(number)].increment()

    def work(child: int) -> None:
        for turn in range(each):
            counters[_address((child * each + turn) * 7919 % names)].increment()

    seconds = in_children(work)
    found = sum(counters.all().values()) - names
    if found != PROCESSES * each:
        raise SystemExit(f"{path} counted {found}, and should have {PROCESSES * each}")
    return {"rate": PROCESSES * each / seconds, "processes": PROCESSES}


def _address(number: int) -> str:
    return f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"


def check(path: str, expected: int) -> None:
    """End with an error if anything was lost."""
    if (found := int(Path(path).read_text())) != expected:
        raise SystemExit(f"{path} is {found}, and should be {expected}")


if __name__ == "__main__":
    found = {
        "renamed": compare("renamed", False, by_hand_renamed),
        "hot": compare("hot", True, by_hand_in_place),
        "renamed together": together("renamed-together", False, EACH // 20),
        "hot together": together("hot-together", True, EACH),
        "expiring together": expiring_together("expiring-together", 10_000, EACH // 10),
    }
    print(json.dumps(found))
