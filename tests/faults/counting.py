"""Count from many processes at once: a program, because its forks must be cheap.

    python counting.py PATH PROCESSES TIMES [hot] [durable]

Each process counts TIMES; every number that was returned must have been returned once.
"""

import array
import itertools
import os
import sys

from cgikit import Counter


def main(path, processes, times, options):
    pids = []
    for turn in range(processes):
        pid = os.fork()
        if not pid:
            try:
                counter = Counter(path, 600, **options)
                numbers = array.array("q", (counter.increment() for _ in range(times)))
                with open(f"{path}.{turn}", "wb") as file:
                    numbers.tofile(file)
                os._exit(0)
            finally:
                os._exit(1)
        pids.append(pid)
    assert [os.waitpid(pid, 0)[1] for pid in pids] == [0] * processes
    seen = bytearray(processes * times)
    for turn in range(processes):
        numbers = array.array("q")
        with open(f"{path}.{turn}", "rb") as file:
            numbers.fromfile(file, times)
        assert all(one < other for one, other in itertools.pairwise(numbers))
        for number in numbers:
            assert not seen[number - 1], f"{number} was given twice"
            seen[number - 1] = 1
    assert all(seen)
    with open(path, "rb") as file:
        assert int(file.read()) == processes * times


if __name__ == "__main__":
    options = dict.fromkeys(sys.argv[4:], True)
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), options)
