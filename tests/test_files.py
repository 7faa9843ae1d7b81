"""atomic_write and append_line: old or new, whole lines, modes and owners kept, errors that help."""

import os
import stat
import threading
from pathlib import Path
from typing import BinaryIO

import pytest
from child import DEADLINE, environment, start, write_script
from hypothesis import given
from hypothesis import strategies as st
from nobody import forked_as_nobody
from properties import texts
from requirement import lack

from cgikit import (
    CGIError,
    Counter,
    LockTimeout,
    StorageError,
    append_line,
    atomic_write,
    files,
    lock,
)
from cgikit.files import read, temporary_name


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state"


# --- atomic_write -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "content"),
    [
        (b"", b""),
        (b"bytes\0", b"bytes\0"),
        (bytearray(b"array"), b"array"),
        (memoryview(b"view"), b"view"),
        (memoryview(b"abcdefgh").cast("I"), b"abcdefgh"),
        ("tëxt\n", "tëxt\n".encode()),
        (lambda file: None, b""),
        (lambda file: [file.write(b"%d\n" % i) for i in range(9)], b"0\n1\n2\n3\n4\n5\n6\n7\n8\n"),
        (lambda file: file.write(b"x" * 1_000_000), b"x" * 1_000_000),
        (lambda file: (file.write(b"a"), file.close()), b"a"),
    ],
)
@pytest.mark.parametrize("durable", [False, True])
def test_what_can_be_written(path: Path, data: object, content: bytes, durable: bool) -> None:
    for _ in range(2):  # a new file, and one in the place of another
        atomic_write(path, data, durable=durable)
        assert path.read_bytes() == content
        assert os.listdir(path.parent) == ["state"]  # no lock file: the new file itself is locked
        path.write_bytes(b"old")


def test_a_function_that_raises_changes_nothing(path: Path) -> None:
    def half(file):
        file.write(b"x" * 100_000)
        raise KeyError("mine")

    for _ in range(2):
        with pytest.raises(KeyError, match="mine"):
            atomic_write(path, half)
        assert not path.exists()
    path.write_bytes(b"old")
    with pytest.raises(KeyError):
        atomic_write(path, half)
    assert path.read_bytes() == b"old"
    assert os.listdir(path.parent) == ["state"]


def test_errors_of_the_function_stay_its_own(path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        atomic_write(path, lambda file: file.write(Path("/no/such").read_bytes()))
    assert not isinstance(caught.value, CGIError)
    with pytest.raises(TypeError):
        atomic_write(path, lambda file: file.write("text"))
    with pytest.raises(TypeError):
        atomic_write(path, 5)
    with pytest.raises(UnicodeEncodeError):
        atomic_write(path, "\ud800")
    assert os.listdir(path.parent) == []


def test_a_file_kept_for_later_writes_nowhere(path: Path) -> None:
    kept = []
    atomic_write(path, kept.append)
    with pytest.raises(ValueError, match="closed"):
        kept[0].write(b"late")
    assert path.read_bytes() == b""


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o666, 0o444])
def test_the_mode_is_kept_or_set(path: Path, mode: int) -> None:
    old = os.umask(0o077)
    try:
        atomic_write(path, "new", mode=mode)
        assert stat.S_IMODE(path.stat().st_mode) == mode
        atomic_write(path, "newer")
        assert stat.S_IMODE(path.stat().st_mode) == mode
        atomic_write(path, "newest", mode=0o604)
        assert stat.S_IMODE(path.stat().st_mode) == 0o604
    finally:
        os.umask(old)


def test_content_is_never_readable_by_more_than_the_mode_says(path: Path) -> None:
    seen = []

    def look(file):
        file.write(b"secret" * 20_000)
        seen.append(stat.S_IMODE(Path(temporary_name(str(path))).stat().st_mode))

    old = os.umask(0)
    try:
        atomic_write(path, look, mode=0o600)
        atomic_write(path, look)
        path.chmod(0o640)
        atomic_write(path, look)
        atomic_write(path, look, mode=0o400)
    finally:
        os.umask(old)
    assert seen == [0o600, 0o600, 0o640, 0o400]


def test_a_reader_keeps_what_it_has_opened(path: Path) -> None:
    atomic_write(path, "old")
    with path.open() as file:
        atomic_write(path, "new")
        assert file.read() == "old"
    assert path.read_text() == "new"


def test_a_missing_directory_is_made_one_level_of_it(tmp_path: Path) -> None:
    atomic_write(tmp_path / "data" / "state", "x")
    append_line(tmp_path / "log" / "lines", "x")
    assert (tmp_path / "data" / "state").read_text() == "x"
    assert (tmp_path / "log" / "lines").read_text() == "x\n"
    for write in (atomic_write, append_line):
        with pytest.raises(StorageError, match="cannot make the directory"):
            write(tmp_path / "a" / "b" / "state", "x")


# --- what lies in the way -----------------------------------------------------------------------

WRITERS = {"atomic_write": atomic_write, "append_line": append_line}


@pytest.mark.parametrize("write", WRITERS)
@pytest.mark.parametrize("kind", ["symlink", "dangling symlink", "directory", "FIFO"])
def test_s7_what_is_no_file_is_refused(path: Path, write: str, kind: str) -> None:
    target = path.parent / "precious"
    target.write_bytes(b"precious")
    {
        "symlink": lambda: path.symlink_to(target),
        "dangling symlink": lambda: path.symlink_to(path.parent / "made"),
        "directory": path.mkdir,
        "FIFO": lambda: os.mkfifo(path),
    }[kind]()
    before = path.lstat().st_ino
    with pytest.raises(StorageError) as caught:
        WRITERS[write](path, "x")
    assert caught.value.path == str(path)
    if "symlink" in kind:
        assert "symbolic link" in caught.value.reason
    assert path.lstat().st_ino == before
    assert target.read_bytes() == b"precious"
    assert set(os.listdir(path.parent)) - {"state.lock"} == {"state", "precious"}


@pytest.mark.parametrize(
    "kind", ["file", "symlink", "dangling symlink", "hard link", "FIFO", "socket"]
)
def test_s7_what_lies_at_the_temporary_name_is_never_written_into(path: Path, kind: str) -> None:
    import socket

    target = path.parent / "precious"
    target.write_bytes(b"precious")
    new = Path(temporary_name(str(path)))

    def listen() -> None:
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(str(new))

    {
        "file": lambda: new.write_bytes(b"from a killed writer"),
        "symlink": lambda: new.symlink_to(target),
        "dangling symlink": lambda: new.symlink_to(path.parent / "made"),
        "hard link": lambda: new.hardlink_to(target),
        "FIFO": lambda: os.mkfifo(new),
        "socket": listen,
    }[kind]()
    atomic_write(path, "x")
    assert path.read_text() == "x"
    assert stat.S_ISREG(path.lstat().st_mode)
    assert target.read_bytes() == b"precious"
    assert sorted(os.listdir(path.parent)) == ["precious", "state"]


def test_a_directory_at_the_temporary_name_is_an_error(path: Path) -> None:
    Path(temporary_name(str(path))).mkdir()
    with pytest.raises(StorageError, match=str(path)):
        atomic_write(path, "x")
    assert os.listdir(path.parent) == [".state.cgikit-new"]


# --- writers at the same time -------------------------------------------------------------------


def test_a_writer_waits_for_another(path: Path) -> None:
    inside, go_on = threading.Event(), threading.Event()

    def slowly(file):
        file.write(b"first")
        inside.set()
        assert go_on.wait(DEADLINE)

    writer = threading.Thread(target=atomic_write, args=(path, slowly))
    writer.start()
    assert inside.wait(DEADLINE)
    with pytest.raises(LockTimeout) as caught:
        atomic_write(path, "second", timeout=0.01)
    assert caught.value.path == temporary_name(str(path))
    go_on.set()
    atomic_write(path, "third", timeout=DEADLINE)  # waits for the first
    writer.join()
    assert path.read_text() == "third"
    assert os.listdir(path.parent) == ["state"]


REPLACE = """
import sys
for i in range({times}):
    atomic_write("state", (sys.argv[1] + "\\n") * 20_000, timeout=60)
"""


def test_r_replacing_from_many_processes_never_mixes(tmp_path: Path, path: Path) -> None:
    script = write_script(tmp_path, REPLACE.format(times=200))
    atomic_write(path, "a\n" * 20_000)
    everyone = [start(script, environment(), word) for word in "abcd"]
    seen = set()
    while any(process.poll() is None for process in everyone):
        content = path.read_bytes()
        seen.add(content[:1])
        assert content == content[:2] * 20_000
    for process in everyone:
        assert process.communicate(timeout=DEADLINE) == (b"", b"")
        assert process.returncode == 0
    assert seen <= {b"a", b"b", b"c", b"d"}
    assert sorted(os.listdir(tmp_path)) == ["script.py", "state"]


# --- append_line --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "line", "after"),
    [
        (None, "one", b"one\n"),
        (b"", "one", b"one\n"),
        (b"one\n", "two", b"one\ntwo\n"),
        (b"one\n", b"\xff\0", b"one\n\xff\0\n"),
        (b"one\n", "", b"one\n\n"),
        (b"one", "two", b"one\ntwo\n"),  # an old script's, or one that was cut off
        (b"\n", "zwö", "\nzwö\n".encode()),
    ],
)
def test_a_line_is_added(path: Path, before: bytes | None, line: str | bytes, after: bytes) -> None:
    if before is not None:
        path.write_bytes(before)
    append_line(path, line)
    assert path.read_bytes() == after


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
@pytest.mark.parametrize("line", ["{}", "a{}", "{}a", "a{}a"])
def test_s22_a_line_with_a_line_end_inside_is_refused(path: Path, line: str, end: str) -> None:
    for bad in (line.format(end), line.format(end).encode()):
        with pytest.raises(ValueError, match="line ends"):
            append_line(path, bad)
    assert os.listdir(path.parent) == []


APPEND = """
import sys
for i in range({times}):
    append_line("state", sys.argv[1] * (i % 50) + str(i), timeout=60)
"""


def test_r_lines_of_many_processes_are_whole_and_all_there(tmp_path: Path, path: Path) -> None:
    script = write_script(tmp_path, APPEND.format(times=500))
    everyone = [start(script, environment(), word) for word in "abcdefgh"]
    for process in everyone:
        assert process.communicate(timeout=DEADLINE) == (b"", b"")
    lines = path.read_text().split("\n")
    assert lines.pop() == ""
    assert sorted(lines) == sorted(
        word * (i % 50) + str(i) for word in "abcdefgh" for i in range(500)
    )
    for word in "abcdefgh":  # and in order
        numbers = [int(line.strip("abcdefgh")) for line in lines if line.startswith(word)]
        assert numbers == sorted(numbers)


def test_f_the_beginning_of_a_killed_writers_line_is_removed(path: Path) -> None:
    append_line(path, "one")
    note = Path(f"{path}.lock")
    whole = b"%d 4\n" % path.stat().st_ino
    for left, noted, after in [
        (b"one\nbeginn", whole, b"one\ntwo\n"),
        (b"one\n", whole, b"one\ntwo\n"),  # killed before it wrote
        (b"one\nended\n", whole, b"one\nended\ntwo\n"),  # killed when all was written
        (b"one\nbeginnothers\n", whole, b"one\nbeginnothers\ntwo\n"),  # another one added to it
        (b"one\nothers", b"", b"one\nothers\ntwo\n"),  # nobody said that it is ours
        (b"one\nothers", b"1 4\n", b"one\nothers\ntwo\n"),  # it is about another file
        (b"one\nothers", bytes(9), b"one\nothers\ntwo\n"),  # a power failure has left zeros
        (b"", whole, b"two\n"),
    ]:
        path.write_bytes(left)
        note.write_bytes(noted)
        append_line(path, "two")
        assert path.read_bytes() == after
        assert note.read_bytes() == b""


def test_long_lines_leave_no_note(path: Path) -> None:
    for length in (4_095, 1, 4_096, 100_000):
        append_line(path, "x" * length)
        assert Path(f"{path}.lock").read_bytes() == b""
    assert [len(line) for line in path.read_text().splitlines()] == [4_095, 1, 4_096, 100_000]


def test_a_line_waits_for_the_lock(path: Path) -> None:
    with lock(path), pytest.raises(LockTimeout):
        append_line(path, "x", timeout=0)
    append_line(path, "x", timeout=0)


@given(st.lists(texts.map(lambda text: text.replace("\n", "").replace("\r", "")), max_size=9))
def test_lines_come_back(tmp_path_factory: pytest.TempPathFactory, lines: list[str]) -> None:
    path = tmp_path_factory.getbasetemp() / "lines"
    path.unlink(missing_ok=True)
    for line in lines:
        append_line(path, line)
    content = path.read_bytes().decode() if lines else "\n"
    assert content.removesuffix("\n").split("\n") == (lines or [""])


@given(st.binary())
def test_content_comes_back(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "content"
    atomic_write(path, data)
    assert path.read_bytes() == data == read(str(path))


# --- durable ------------------------------------------------------------------------------------


def test_durable_waits_for_the_file_before_the_rename_and_for_its_name_after(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which calls were made, in order: the only thing about power failures that can be tested here."""
    made: list[str] = []
    for name in ("write", "fsync", "replace"):
        real = getattr(os, name)
        monkeypatch.setattr(
            os, name, lambda *words, _n=name, _real=real: (made.append(_n), _real(*words))[1]
        )
    atomic_write(path, "x", durable=True)
    assert made == ["write", "fsync", "replace", "fsync"]
    made.clear()
    append_line(path.parent / "lines", "x", durable=True)
    assert made == ["write", "fsync", "fsync"]  # the line, and the name of the new file
    made.clear()
    append_line(path.parent / "lines", "x", durable=True)
    atomic_write(path, "x")
    assert made == ["write", "fsync", "write", "replace"]


def test_large_files_are_read_whole(path: Path) -> None:
    data = os.urandom(300_000)
    path.write_bytes(data)
    assert read(str(path)) == data
    assert read(str(path), most=10) == data[:10]
    assert read(str(path.parent / "none")) is None


# --- what is a person's own -----------------------------------------------------------------------


def test_the_temporary_name_is_nobody_s(path: Path) -> None:
    """9/2.2: a person's menu.txt.new was deleted, as the orphan of a killed writer."""
    own = Path(f"{path}.new")
    own.write_text("the next menu")
    atomic_write(path, "the menu")
    assert (path.read_text(), own.read_text()) == ("the menu", "the next menu")


@pytest.mark.parametrize("length", [1, 242, 243, 244, 254, 255])
@pytest.mark.parametrize("letter", ["a", "ä"])
def test_long_names_have_a_temporary_name_too(tmp_path: Path, length: int, letter: str) -> None:
    name = letter * (length // len(letter.encode())) or "x"
    atomic_write(tmp_path / name, "x")
    assert os.listdir(tmp_path) == [name]
    assert temporary_name(f"/d/{name}") != temporary_name(f"/d/{name[:-1]}")


@pytest.mark.parametrize("data", [42, None, ["a"], {"a": 1}, 1.5])
def test_what_cannot_be_written_is_a_type_error_that_says_so(path: Path, data: object) -> None:
    with pytest.raises(TypeError, match="data must be bytes, str or a function that writes, not"):
        atomic_write(path, data)  # type: ignore[arg-type]
    assert os.listdir(path.parent) == []


def unreadable_parent(place: Path, code: str) -> str:
    """What becomes of it below a directory that one may write in, and enter, but not read."""
    if os.geteuid():
        lack("root, to become another user")
    place.chmod(0o733)
    names = {"Counter": Counter, "append_line": append_line, "atomic_write": atomic_write}
    return forked_as_nobody(place, code, names)


def test_a_directory_is_made_in_one_that_cannot_be_read(tmp_path: Path) -> None:
    """9/2.8: "cannot make the directory", which was there."""
    assert unreadable_parent(tmp_path, "Counter('data/n').increment()") == "done"
    assert (tmp_path / "data/n").read_text() == "1\n"


@pytest.mark.parametrize(
    "code",
    [
        "Counter('n', durable=True).increment()",
        "atomic_write('n', 'new', durable=True)",
        "append_line('n', 'new', durable=True)",
    ],
)
def test_durable_says_no_before_anything_is_changed(tmp_path: Path, code: str) -> None:
    """9/2.8: the number had changed when the directory could not be opened for its fsync."""
    file = tmp_path / "n"
    file.write_text("1\n")
    file.chmod(0o666)
    assert unreadable_parent(tmp_path, code).startswith("StorageError: ")
    assert file.read_text() == "1\n"
    assert unreadable_parent(tmp_path, code.replace(", durable=True", "")) == "done"
    assert file.read_text() != "1\n"


def test_a_writer_whose_file_was_taken_for_an_orphan_begins_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its file had no name any more, and the new content would have gone with it."""
    real = files.wait
    taken = []

    def wait(fd: int, name: str, *rest: float) -> None:
        real(fd, name, *rest)  # type: ignore[arg-type]
        if not taken:
            taken.append(name)
            os.unlink(name)

    monkeypatch.setattr(files, "wait", wait)
    atomic_write(path, "new")
    assert path.read_text() == "new"
    assert len(taken) == 1
    assert os.listdir(path.parent) == [path.name]


def test_a_writer_that_fails_leaves_the_file_of_the_next_one(path: Path) -> None:
    temporary = Path(temporary_name(str(path)))

    def write(file: BinaryIO) -> None:
        temporary.unlink()
        temporary.write_text("the next one's")
        raise KeyError("no")

    with pytest.raises(KeyError):
        atomic_write(path, write)
    assert temporary.read_text() == "the next one's"
    assert not path.exists()
