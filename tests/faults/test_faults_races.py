"""S7, F: links put in the way of what is being opened, lock files replaced under those who wait."""

import os
import random
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from faults.kinds import SAVES, hot
from torture import size

from cgikit import CGIError, lock
from cgikit.files import temporary_name

WRITERS = ["count", "count hot", "append", "write over a file", "update JSON"]


def child(work: Callable[[], None]) -> int:
    """Fork a process that works until it is killed, or fails."""
    parent = os.getpid()
    pid = os.fork()
    if not pid:
        try:
            while os.getppid() == parent:  # a test that fails leaves nobody behind
                work()
        finally:
            os._exit(1)
    return pid


def killed(pid: int) -> bool:
    """End a process of ours; False if it had failed before."""
    os.kill(pid, signal.SIGKILL)
    return os.WIFSIGNALED(os.waitpid(pid, 0)[1])


@pytest.mark.parametrize("name", WRITERS)
def test_s7_nobody_is_led_outside_by_links(tmp_path: Path, name: str) -> None:
    """While one process saves, another swaps the file, its lock and its temporary name for links."""
    kind = SAVES[name]
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    precious = outside / "precious"
    precious.write_bytes(kind.old)  # what every writer would gladly change
    path = kind.prepare(str(inside))
    reader, report = os.pipe()

    def work() -> None:
        try:
            kind.save(path, timeout=0)
            os.write(report, b"+")
        except CGIError:
            os.write(report, b"-")

    victim = child(work)
    chance = random.Random(3875)
    told = b""
    for _ in range(size("swaps of links") // len(WRITERS)):
        other = inside / "other"
        target = chance.choice([precious, outside / "made"])
        name = chance.choice([path, path, f"{path}.lock", temporary_name(path)])
        if chance.random() < 0.5:
            other.symlink_to(target)
        else:  # a lock file with something in it is refused
            other.write_bytes(b"" if name.endswith(".lock") else kind.old)
        try:
            other.rename(name)
        except FileNotFoundError:
            pass
        told += os.read(reader, 65_536) if chance.random() < 0.1 else b""
    assert killed(victim)
    os.close(report)
    told += os.read(reader, 65_536)
    os.close(reader)
    assert precious.read_bytes() == kind.old
    assert os.listdir(outside) == ["precious"]
    assert b"+" in told  # some saves met no link, and some did
    assert b"-" in told


def test_s7_a_link_to_a_hot_counter_is_not_followed_either(tmp_path: Path) -> None:
    (tmp_path / "precious").write_bytes(hot(5))
    (tmp_path / "state").symlink_to(tmp_path / "precious")
    with pytest.raises(CGIError, match="symbolic link"):
        SAVES["count hot"].save(str(tmp_path / "state"))
    assert (tmp_path / "precious").read_bytes() == hot(5)


@pytest.mark.parametrize("replace", ["unlink", "replace"])
def test_f_a_lock_file_that_is_replaced_never_has_two_owners(tmp_path: Path, replace: str) -> None:
    """Each owner removes the lock file, or puts a new one there, when it has left: those who wait for
    the old one must not enter with it, because others have got the new one by then.
    """
    inside = tmp_path / "inside"
    done = tmp_path / "done"
    done.touch()

    times = size("replaced lock files") // 2

    def work() -> None:
        with lock(tmp_path / "state", timeout=60) as held:
            if done.stat().st_size >= times:
                os._exit(0)
            os.close(os.open(inside, os.O_CREAT | os.O_EXCL))  # fails if somebody else is in here
            with done.open("ab") as file:
                file.write(b".")
            inside.unlink()
            if replace == "unlink":
                os.unlink(held.path)
            else:
                fresh = tmp_path / f"fresh-{os.getpid()}"
                fresh.touch()
                fresh.rename(held.path)

    workers = [child(work) for _ in range(4)]
    assert [os.waitpid(pid, 0)[1] for pid in workers] == [0] * 4
    assert done.stat().st_size == times
