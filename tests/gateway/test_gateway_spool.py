"""Bytes that wait: in memory, then on disk, and what happens when the disk takes no more."""

import os
import random
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from requirement import lack

from cgikit.gateway import spool
from cgikit.gateway.spool import Spool


def files() -> int:
    return len(os.listdir("/proc/self/fd"))


def numbered(size: int) -> bytes:
    return b"".join(number.to_bytes(4, "big") for number in range(size // 4))


@given(
    st.lists(st.one_of(st.binary(min_size=1, max_size=50), st.integers(1, 60)), max_size=60),
    st.integers(0, 40),
    st.integers(0, 80),
)
def test_it_gives_back_what_was_written_in_order(
    steps: list[bytes | int], memory: int, limit: int
) -> None:
    """Whatever is written and read in turn, and however little memory and disk there is."""
    waits = Spool(memory, limit, "/tmp")
    expected = bytearray()
    for step in steps:
        if isinstance(step, bytes):
            waits.write(step)
            expected += step
        else:
            data = waits.read(step)
            assert len(data) <= step
            assert bool(data) == bool(expected)
            assert bytes(expected[: len(data)]) == data
            del expected[: len(data)]
        assert waits.size == len(expected)
    while data := waits.read(7):
        assert bytes(expected[: len(data)]) == data
        del expected[: len(data)]
    assert not expected
    assert not waits.is_full
    waits.close()


def test_little_needs_no_file() -> None:
    before = files()
    waits = Spool(1_000, 10_000, "/nonexistent")
    waits.write(bytes(1_000))
    assert files() == before
    assert waits.error is None
    assert not waits.is_full


def test_much_goes_into_a_file_without_a_name(tmp_path: Path) -> None:
    before = files()
    waits = Spool(1_000, 10_000_000, str(tmp_path))
    whole = numbered(3_000_000)
    waits.write(memoryview(whole))
    assert files() == before + 1
    assert os.listdir(tmp_path) == []
    assert waits.size == len(whole)
    found = b"".join(iter(lambda: waits.read(65_536), b""))
    assert found == whole
    waits.close()
    assert files() == before


def test_a_file_that_was_read_to_its_end_is_empty(tmp_path: Path) -> None:
    """Else a slow peer of an endless answer would fill the disk."""
    waits = Spool(0, 100, str(tmp_path))
    for _ in range(50):
        waits.write(bytes(80))
        assert not waits.is_full
        assert waits.read(80) == bytes(80)


def test_the_limit_is_where_it_is_full(tmp_path: Path) -> None:
    waits = Spool(10, 100, str(tmp_path))
    waits.write(bytes(100))
    assert not waits.is_full
    waits.write(b"x")
    assert waits.is_full
    assert waits.error is None
    assert waits.read(1_000) == bytes(100)
    assert not waits.is_full  # what is left fits into memory, or nearly
    assert waits.read(1_000) == b"x"


def test_a_directory_that_is_not_there_loses_nothing() -> None:
    waits = Spool(10, 1_000, "/nonexistent/directory")
    waits.write(b"a" * 100)
    assert waits.is_full
    assert isinstance(waits.error, FileNotFoundError)
    waits.write(b"b")  # in memory there would be room for it: it stays behind the others
    assert waits.read(1_000) == b"a" * 100 + b"b"
    assert waits.error is None


FULL = """
import os, subprocess, sys
from cgikit.gateway.spool import Spool
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", sys.argv[1]], check=True)
waits = Spool(1000, 1 << 30, sys.argv[1])
whole = os.urandom(300_000)
for at in range(0, len(whole), 10_000):
    waits.write(whole[at : at + 10_000])
assert waits.is_full and waits.error.errno == 28, waits.error
assert b"".join(iter(lambda: waits.read(4_096), b"")) == whole
waits.write(whole[:50_000])
assert not waits.is_full and waits.error is None
"""


def test_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    if os.geteuid():
        lack("root, for a file system that is full")
    done = subprocess.run(
        ["unshare", "-m", sys.executable, "-c", FULL, str(tmp_path)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_no_descriptor_is_left(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    waits = Spool(0, 1_000, str(tmp_path))
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, before[1]))
    try:
        waits.write(b"data")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert waits.is_full
    assert waits.error is not None
    assert waits.read(10) == b"data"


def test_a_system_without_unnamed_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool.os, "O_TMPFILE", 0)
    waits = Spool(0, 1_000_000, str(tmp_path))
    whole = random.Random(3).randbytes(200_000)
    waits.write(whole)
    assert os.listdir(tmp_path) == []
    assert b"".join(iter(lambda: waits.read(9_999), b"")) == whole


def test_it_can_be_used_again_after_its_end(tmp_path: Path) -> None:
    waits = Spool(0, 1_000, str(tmp_path))
    waits.write(b"one")
    waits.close()
    assert (waits.size, waits.read(10)) == (0, b"")
    waits.write(b"two")
    assert waits.read(10) == b"two"
