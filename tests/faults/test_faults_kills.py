"""F: kill -9 at random points, and at every single system call; and 64 processes at once.

This shows what a *process* can do to a file when it dies. It shows nothing about power failures:
what was written stays in the system's memory and gets to the disk whoever is dead.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from faults.killing import KINDS
from faults.kinds import SAVES, content
from house import ROOT
from requirement import need
from torture import size

HERE = Path(__file__).parent
CLEAN = {"PATH": os.environ["PATH"], "PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}"}
LIMIT = 24 * 3600  # seconds; a torture run takes its time


def python(program: str, *words: object) -> str:
    """What a program beside this file prints; it must not fail."""
    done = subprocess.run(
        [sys.executable, str(HERE / program), *map(str, words)],
        env=CLEAN, capture_output=True, text=True, timeout=LIMIT,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize("kind", KINDS)
def test_f_kill_at_random_points(tmp_path: Path, kind: str) -> None:
    kills = -(-size("kills") // len(KINDS))
    found = json.loads(python("killing.py", kind, kills, tmp_path, 3875))
    print(kind, kills, "kills:", found)
    assert found["changes"] > 100 + 1.2 * kills  # they were really at work
    # Some died in the middle: between the change and the report of it, or before the rename. With few
    # kills on a busy machine it can be none: chance decides. Every single point has its turn in
    # test_f_kill_at_every_system_call.
    assert found["unacknowledged"] + found["orphans"] > 0 or kills < 10_000


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("increments, hot", ["hot"]),
        ("increments, renamed", []),
        ("increments, durable", ["durable"]),
        ("increments, hot and durable", ["hot", "durable"]),
    ],
)
def test_r_nothing_is_lost_among_64_processes(
    tmp_path: Path, name: str, options: list[str]
) -> None:
    python("counting.py", tmp_path / "count.dat", 64, -(-size(name) // 64), *options)


# --- at every system call -----------------------------------------------------------------------

#: Every call on files that a save could make; "?" is for what other machines do not have.
TRACED = (
    "openat,?open,close,read,write,pread64,pwrite64,fsync,fdatasync,?newfstatat,?fstat,?stat,"
    "?lstat,?statx,?rename,?renameat,?renameat2,?unlink,?unlinkat,?mkdir,?mkdirat,fchmod,fchown,"
    "ftruncate,dup,?lseek,flock,?ioctl,?access,?faccessat"
)
SAVE_ONCE = """
import os, sys
sys.path[:0] = sys.argv[4:]
from faults.kinds import SAVES
from cgikit import CGIError
kind = SAVES[sys.argv[1]]
kind.save(kind.prepare(sys.argv[3]))   # all that is imported late is imported now
os.access("/begin", 0)
try:
    kind.save(sys.argv[2])
except CGIError as error:
    os._exit(3 if error.path.startswith(os.path.dirname(sys.argv[2])) else 4)
os._exit(0)
"""


class Traced:
    """One save in a process of its own, under strace."""

    def __init__(self, tmp_path: Path, name: str) -> None:
        self.kind = SAVES[name]
        self.name = name
        self.place = tmp_path / "place"
        self.warm = tmp_path / "warm"
        self.log = tmp_path / "log"

    def run(self, *inject: str) -> tuple[int, str, list[str]]:
        """Save; the exit status, the file's path, and the calls: (all before the save, its own)."""
        for place in (self.place, self.warm):
            subprocess.run(["rm", "-rf", place], check=True)
            place.mkdir()
        path = self.kind.prepare(str(self.place))
        command = [
            need("strace"), "-qq", "-s", "9", "-o", str(self.log), "-e", f"trace={TRACED}",
            "-e", "signal=none", *inject, sys.executable, "-I", "-S", "-c", SAVE_ONCE,
            self.name, path, str(self.warm), str(ROOT), str(ROOT / "tests"),
        ]  # fmt: skip
        done = subprocess.run(command, env=CLEAN, capture_output=True, timeout=60)
        calls = re.findall(r"^(\w+)\((.*)", self.log.read_text(), re.M)
        return done.returncode, path, [f"{name}({words}" for name, words in calls]

    def points(self) -> list[tuple[str, int]]:
        """Each call of a save that nobody disturbs: its name, and the how manieth of its name it is."""
        self.run()  # compiles what is not compiled yet: later runs do not
        code, path, calls = self.run()
        assert code == 0
        assert content(path) == self.kind.new
        (begin,) = [number for number, call in enumerate(calls) if '"/begin"' in call]
        names = [call.partition("(")[0] for call in calls]
        assert len(names) - begin > 5
        return [
            (names[at], names[: at + 1].count(names[at])) for at in range(begin + 1, len(names))
        ]


@pytest.mark.parametrize("name", SAVES)
def test_f_kill_at_every_system_call(tmp_path: Path, name: str) -> None:
    traced = Traced(tmp_path, name)
    seen = set()
    for call, number in traced.points():
        code, path, calls = traced.run("-e", f"inject={call}:signal=KILL:when={number}")
        where = f"killed at the {number}. {call}"
        assert code in (-9, 137), where
        assert calls[-1].startswith(call), where
        found = content(path)
        assert traced.kind.is_whole(found), where
        seen.add(found)
        traced.kind.save(path, timeout=0)  # no lock is stuck
        left = {path.name for path in traced.place.rglob("*") if path.is_file()}
        assert left <= {"state", "state.lock"}, where  # and the orphan is gone
    assert traced.kind.new in seen  # some died too late to prevent it
    assert len(seen) > 1


#: What Python makes again when a signal comes in between (PEP 475).
AGAIN = {
    "openat",
    "read",
    "write",
    "pread64",
    "pwrite64",
    "fsync",
    "fdatasync",
    "ftruncate",
    "flock",
}


@pytest.mark.parametrize("name", ["write durably", "append", "count hot and durably"])
def test_f_errors_of_the_real_system(tmp_path: Path, name: str) -> None:
    traced = Traced(tmp_path, name)
    everything = ["EINTR", "ENOSPC", "EIO", "EDQUOT", "EACCES", "EROFS", "ENOLCK", "EMFILE"]
    for call, number in traced.points():
        for error in everything[: 1 + size("errors through strace")]:
            code, path, _ = traced.run("-e", f"inject={call}:error={error}:when={number}")
            where = f"{error} at the {number}. {call}"
            assert code in (0, 3), where
            assert traced.kind.is_whole(content(path)), where
            assert code == 3 or content(path) == traced.kind.new, where
            if error == "EINTR" and call in AGAIN:
                assert code == 0, where
            traced.kind.save(path, timeout=0)
            left = {path.name for path in traced.place.rglob("*") if path.is_file()}
            assert left <= {"state", "state.lock"}, where
