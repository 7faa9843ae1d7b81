"""lines: what comes back of them, what a reader sees beside a writer, and queues that lose nothing.

How lines are added is in `test_files.py` and `tests/faults`.
"""

import fcntl
import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from serving import DEADLINE
from torture import size

from cgikit import LockTimeout, append_line, lock
from cgikit.lines import read_lines, take_lines

#: What `str.splitlines` takes for the end of a line, and visitors send in their text.
OTHER_ENDS = "\v\f\x1c\x1d\x1e\x85\u2028\u2029"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lines.txt"


@pytest.mark.parametrize("line", [42, None, 1.5, [104, 105], True, object()])
def test_what_is_no_line_is_a_type_error_and_writes_nothing(path: Path, line: object) -> None:
    """9/2.8: `append_line(path, 42)` wrote 42 NUL bytes."""
    with pytest.raises(TypeError, match="a line must be str or bytes, not"):
        append_line(path, line)  # type: ignore[arg-type]
    assert not path.exists()


@pytest.mark.parametrize("line", ["text", b"text", bytearray(b"text"), memoryview(b"text")])
def test_what_is_a_line(path: Path, line: "str | bytes") -> None:
    append_line(path, line)
    assert path.read_bytes() == b"text\n"


def test_no_text_of_a_visitor_passes_for_two_lines(path: Path) -> None:
    """9/2.8: `str.splitlines` sees an entry for each of these."""
    append_line(path, f"one{OTHER_ENDS}entry")
    append_line(path, "two")
    assert read_lines(path) == [f"one{OTHER_ENDS}entry", "two"]
    assert len(path.read_text().splitlines()) > 2


def test_no_file_has_no_lines(path: Path) -> None:
    assert read_lines(path) == read_lines(path, last=3) == []
    with take_lines(path) as taken:
        assert taken == []
    assert not path.exists()


@given(
    lines=st.lists(st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]))),
    last=st.integers(0, 12) | st.none(),
)
def test_lines_come_back(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], last: int | None
) -> None:
    path = tmp_path_factory.mktemp("lines") / "lines.txt"
    for line in lines:
        append_line(path, line)
    wanted = lines if last is None else lines[-last:] if last else []
    assert read_lines(path, last=last) == wanted
    with take_lines(path) as taken:
        assert taken == lines
    assert read_lines(path) == []


@given(content=st.binary(max_size=300), last=st.integers(0, 5))
def test_the_last_lines_are_the_last_of_all(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, last: int
) -> None:
    path = tmp_path_factory.mktemp("lines") / "lines.txt"
    path.write_bytes(content)
    every = read_lines(path, errors="surrogateescape")
    whole = "\n".join(every).encode("utf-8", "surrogateescape")
    assert whole == content.removesuffix(b"\n")
    assert read_lines(path, last=last, errors="surrogateescape") == (every[-last:] if last else [])


@pytest.mark.parametrize("length", [1, 65_535, 65_536, 65_537, 200_000])
@pytest.mark.parametrize("last", [1, 2, 3])
def test_lines_longer_than_what_is_read_at_once(path: Path, length: int, last: int) -> None:
    lines = [letter * length for letter in "abc"]
    for line in lines:
        append_line(path, line)
    assert read_lines(path, last=last) == lines[-last:]


def test_of_a_long_file_no_more_is_read_than_the_last_lines_take(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.write_bytes(b"x" * 99 + b"\n")
    with path.open("ab") as file:
        file.write((b"x" * 99 + b"\n") * 50_000)
    read, pread = [], os.pread

    def counted(fd: int, size: int, at: int) -> bytes:
        read.append(size)
        return pread(fd, size, at)

    monkeypatch.setattr(os, "pread", counted)
    assert read_lines(path, last=10) == ["x" * 99] * 10
    assert sum(read) <= 65_536


@pytest.mark.parametrize("last", [-1, -100])
def test_fewer_than_none_is_an_error(path: Path, last: int) -> None:
    with pytest.raises(ValueError, match="0 or more"):
        read_lines(path, last=last)


def test_a_last_line_that_a_person_wrote_counts(path: Path) -> None:
    path.write_text("one\ntwo")
    assert read_lines(path) == ["one", "two"]
    append_line(path, "three")
    path.write_text(path.read_text() + "four")
    assert read_lines(path, last=2) == ["three", "four"]


def test_a_line_whose_writer_was_killed_does_not_count(path: Path) -> None:
    append_line(path, "one")
    inode = path.stat().st_ino
    Path(f"{path}.lock").write_bytes(b"%d %d\n" % (inode, path.stat().st_size))
    with path.open("ab") as file:
        file.write(b"x" * 5_000)
    assert read_lines(path) == read_lines(path, last=2) == ["one"]
    with take_lines(path) as taken:
        assert taken == ["one"]
    assert path.read_bytes() == b""


def test_a_reader_waits_for_a_line_that_is_being_written(path: Path) -> None:
    append_line(path, "one")
    with lock(path):
        with path.open("ab") as file:
            file.write(b"tw")
        with pytest.raises(LockTimeout):
            read_lines(path, timeout=0.01)
        with path.open("ab") as file:
            file.write(b"o\n")
        assert read_lines(path) == ["one", "two"]  # and for whole lines nobody is waited for


# --- queues -----------------------------------------------------------------------------------


def test_what_was_taken_is_gone_and_the_file_is_the_same(path: Path) -> None:
    append_line(path, "one")
    path.chmod(0o604)
    before = path.stat()
    for durable in (False, True):
        with take_lines(path, durable=durable) as taken:
            assert taken == ["one"]
        assert path.read_bytes() == b""
        after = path.stat()
        assert (before.st_ino, before.st_mode) == (after.st_ino, after.st_mode)
        append_line(path, "one")


def test_an_error_in_the_block_leaves_all_lines(path: Path) -> None:
    append_line(path, "one")
    with pytest.raises(ZeroDivisionError), take_lines(path):
        raise ZeroDivisionError
    with take_lines(path, timeout=0) as taken:  # the lock is free
        assert taken == ["one"]


def test_who_adds_waits_for_the_end_of_the_block(path: Path) -> None:
    append_line(path, "one")
    with take_lines(path):
        with pytest.raises(LockTimeout):
            append_line(path, "two", timeout=0)
        writer = threading.Thread(
            target=append_line, args=(path, "three"), kwargs={"timeout": DEADLINE}
        )
        writer.start()
    writer.join()
    assert read_lines(path) == ["three"]


def test_what_others_add_without_the_lock_stays(path: Path) -> None:
    append_line(path, "one")
    with take_lines(path) as taken:
        with path.open("ab") as file:
            file.write(b"two\n")
        assert taken == ["one"]
    assert path.read_bytes() == b"two\n"


TAKER = """
import os, sys
from cgikit.lines import take_lines
taken = os.open("taken", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
print("ready", flush=True)
while True:
    with take_lines("lines.txt", timeout=60) as lines:
        for line in lines:
            os.write(taken, line.encode() + b"\\n")
"""


def test_r_no_line_of_a_queue_is_lost_when_those_who_take_are_killed(path: Path) -> None:
    """One that is killed in the block leaves its lines to the next, who may see them again."""
    chance = random.Random(20)
    sent = 0
    for _ in range(size("kills") // 300):
        with subprocess.Popen(
            [sys.executable, "-c", TAKER], cwd=path.parent, stdout=subprocess.PIPE
        ) as taker:
            assert taker.stdout is not None
            taker.stdout.readline()
            for _ in range(chance.randrange(1, 40)):
                append_line(path, f"{sent}", timeout=DEADLINE)
                sent += 1
            taker.send_signal(signal.SIGKILL)
        assert read_lines(path) is not None
    with take_lines(path, timeout=DEADLINE) as rest:
        left = rest
    taken = (path.parent / "taken").read_text().split()
    assert set(taken) | set(left) == {str(number) for number in range(sent)}


def test_a_shared_lock_is_enough_to_read(path: Path) -> None:
    path.write_text("no end")
    append_line(path.with_name("other"), "x")
    with Path(f"{path}.lock").open("w") as beside:
        fcntl.flock(beside, fcntl.LOCK_SH)
        assert read_lines(path, timeout=0) == ["no end"]
