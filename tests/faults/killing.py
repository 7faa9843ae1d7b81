"""Kill a writer at a random point, thousands of times: a program, because its forks must be cheap.

    python killing.py KIND KILLS DIRECTORY SEED

Each round forks a child that changes the file as often as it can and reports every change that was
acknowledged; kills it after some changes and a random time; and looks at what is left. Prints how
many changes there were, in JSON; ends with an AssertionError at the first file that is not whole.
"""

import json
import os
import random
import signal
import sys
import time

from cgikit import (
    Counter,
    Counters,
    ExpiringCounters,
    LockTimeout,
    StorageError,
    append_line,
    atomic_write,
    update_json,
)
from cgikit.expiringfile import parse
from cgikit.files import temporary_name

assert LockTimeout  # loaded before the first fork
assert StorageError


class Counting:
    """Changes are increments; the number tells how many there were."""

    def __init__(self, path, **options):
        self.path = path
        self.counter = Counter(path, 0, **options)
        self.format = b"%16d   \n" if options.get("hot") else b"%d\n"

    def change(self, number):
        assert self.counter.increment() == number + 1

    def number(self):
        raw = read(self.path)
        assert raw == self.format % int(raw), raw
        return int(raw)


class Ending(Counting):
    def __init__(self, path):
        self.path = path
        self.counter = ExpiringCounters(path, 1e9, timeout=0)["größe"]

    def number(self):
        (pair,) = parse(self.path, read(self.path)).values()
        return pair[1]


class Naming(Counting):
    def __init__(self, path):
        self.path = path
        self.counter = Counters(path, 0)["größe"]

    def number(self):
        raw = read(self.path)
        assert raw == '{{"größe": {}}}\n'.format(json.loads(raw)["größe"]).encode()
        return json.loads(raw)["größe"]


class Updating:
    def __init__(self, path):
        self.path = path

    def change(self, number):
        with update_json(self.path, timeout=0) as found:
            found["numbers"] = [*found.get("numbers", []), number][-50:]
            found["padding"] = "x" * (number % 70) * 100

    def number(self):
        found = json.loads(read(self.path))
        last = found["numbers"][-1]
        assert found["numbers"] == list(range(max(0, last - 49), last + 1))
        assert found["padding"] == "x" * (last % 70) * 100
        return last + 1


class Writing:
    """Large, so that a kill may come in the middle of the one write; or in many small ones."""

    def __init__(self, path, pieces):
        self.path = path
        self.pieces = pieces

    def data(self, number):
        return b"%d\n" % number * 8_000

    def change(self, number):
        data = self.data(number + 1)
        atomic_write(self.path, self.write(data) if self.pieces else data, timeout=0)

    def write(self, data):
        def write(file):
            for at in range(0, len(data), 5_000):
                file.write(data[at : at + 5_000])
                file.flush()

        return write

    def number(self):
        raw = read(self.path)
        number = int(raw[: raw.index(b"\n")])
        assert raw == self.data(number)
        return number


class Appending:
    """Lines up to three pages long: a kill often comes in the middle of one."""

    def __init__(self, path):
        self.path = path
        self.torn = 0  # lines that were cut off, until the next writer came

    def line(self, number):
        return f"{number}:" + "x" * (number * 97 % 12_000)

    def change(self, number):
        if number % 100 == 99:  # the file would grow and grow
            atomic_write(self.path, self.line(number) + "\n", timeout=0)
        else:
            append_line(self.path, self.line(number), timeout=0)

    def number(self):
        *lines, tail = read(self.path).decode().split("\n")
        expected = None
        for line in lines:
            number = int(line.partition(":")[0])
            assert line == self.line(number)
            assert expected in (None, number), (expected, number)
            expected = number + 1
        assert self.line(expected).startswith(tail)
        self.torn += bool(tail)
        return expected


KINDS = {
    "Counter": lambda path: Counting(path),
    "hot Counter": lambda path: Counting(path, hot=True),
    "Counters": Naming,
    "ExpiringCounters": Ending,
    "update_json": Updating,
    "atomic_write": lambda path: Writing(path, pieces=False),
    "atomic_write in pieces": lambda path: Writing(path, pieces=True),
    "append_line": Appending,
}


def read(path):
    with open(path, "rb") as file:
        return file.read()


def until_killed(kind, number, report):
    os.write(report, b".")
    while True:
        kind.change(number)
        number += 1
        os.write(report, b".")


def kill_once(kind, number, reports, seconds):
    """Fork a writer, kill it `seconds` after it has reported so many changes; how many it did."""
    reader, report = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            until_killed(kind, number, report)
        finally:
            os._exit(1)
    os.close(report)
    assert os.read(reader, 1) == b"."  # under way
    told = 0
    while told < reports:  # on a busy machine time alone would often kill it before it did anything
        told += len(os.read(reader, reports - told))
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass  # a sleep would be too coarse
    os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    assert os.WIFSIGNALED(status), "the writer failed"
    while data := os.read(reader, 65_536):
        told += len(data)
    os.close(reader)
    return told


def main(name, kills, directory, seed):
    path = os.path.join(directory, "state")
    kind = KINDS[name](path)
    chance = random.Random(seed)
    start = time.perf_counter()
    for number in range(100):
        kind.change(number)
    usual = (time.perf_counter() - start) / 100
    number, unacknowledged, orphans = 100, 0, 0
    for _ in range(kills):
        told = kill_once(kind, number, chance.choice((0, 0, 1, 2)), chance.uniform(0, 4 * usual))
        orphans += os.path.exists(temporary_name(path))
        now = kind.number()
        assert number + told <= now <= number + told + 1, (number, told, now)
        unacknowledged += now - number - told
        kind.change(now)  # without waiting: no lock is stuck
        number = now + 1
        assert kind.number() == number
        assert not os.path.exists(temporary_name(path))
    torn = getattr(kind, "torn", 0)
    print(
        json.dumps(
            {"changes": number, "unacknowledged": unacknowledged, "orphans": orphans, "torn": torn}
        )
    )


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
