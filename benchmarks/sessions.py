"""How long `cgikit sessions list` takes for many sessions, and reading their files by hand.

    python3 benchmarks/sessions.py [NUMBER]

Prints JSON: seconds of the whole process (wall, and processor time), the same for a process that
opens, examines, reads and closes each of the files and does nothing else, and the ratio of the
processor times. The files lie in a scratch directory below the working directory.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from cgikit import FileStore
from cgikit.sessions.payload import Payload
from cgikit.sessions.store import Record, key_of, new_id

ROUNDS = 5
BY_HAND = """
import os, sys
for shard in sorted(os.listdir(sys.argv[1])):
    if len(shard) == 2:
        with os.scandir(f"{sys.argv[1]}/{shard}") as entries:
            for entry in entries:
                fd = os.open(entry.path, os.O_RDONLY | os.O_CLOEXEC)
                found = os.fstat(fd)
                data = os.read(fd, 8192)
                os.close(fd)
                sys.stdout.write(f"{entry.name[:12]} {len(data)} {found.st_mtime}\\n")
"""


def fill(store: FileStore, number: int) -> None:
    """Store sessions that differ."""
    now = time.time()
    for turn in range(number):
        inside = Payload(now)
        inside.data = {"user": f"ada{turn}", "cart": [1, 2, turn], "seen": now}
        store.save(key_of(new_id()), Record(inside.encode(), now - turn, now + 86_400), new=True)


def timed(command: list[str], lines: int) -> tuple[float, float]:
    """Run a command that prints so many lines; return its wall and its processor time (seconds)."""
    before, start = os.times(), time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    wall, after = time.perf_counter() - start, os.times()
    if done.stdout.count(b"\n") != lines:
        raise SystemExit(f"{command[:4]} printed {done.stdout.count(chr(10).encode())} lines")
    used = after.children_user + after.children_system
    return wall, used - before.children_user - before.children_system


def measure(number: int) -> dict[str, float]:
    """Return the medians of alternating rounds."""
    with tempfile.TemporaryDirectory(dir=Path.cwd(), prefix="sessions-") as scratch:
        directory = f"{scratch}/sessions"
        fill(FileStore(directory), number)
        ours = [sys.executable, "-m", "cgikit", "sessions", "list", directory]
        hand = [sys.executable, "-c", BY_HAND, directory]
        rounds = [(*timed(ours, number + 1), *timed(hand, number)) for _ in range(ROUNDS)]
    return {
        "sessions": number,
        "wall": median(one[0] for one in rounds),
        "processor": median(one[1] for one in rounds),
        "by hand, wall": median(one[2] for one in rounds),
        "by hand, processor": median(one[3] for one in rounds),
        "ratio": median(one[1] / one[3] for one in rounds),
    }


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]) if sys.argv[1:] else 100_000), indent=2))
