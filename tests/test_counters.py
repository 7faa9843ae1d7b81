"""Counters: never lost, never torn, never overwritten, and errors that say what to do."""

import json
import multiprocessing
import os
import random
import re
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from child import DEADLINE, environment, start, write_script
from hypothesis import given
from hypothesis import strategies as st
from properties import any_texts
from requirement import lack

from cgikit import Counter, Counters, LockTimeout, StorageError
from cgikit.files import temporary_name
from cgikit.locks import FileLock


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "count.dat"


# --- counting -----------------------------------------------------------------------------------


def test_counting(path: Path) -> None:
    counter = Counter(path)
    assert counter.value == 0
    assert not path.exists()  # to ask makes no file
    assert [counter.increment() for _ in range(3)] == [1, 2, 3]
    assert counter.value == 3
    assert path.read_bytes() == b"3\n"
    assert counter.increment(by=10) == 13
    assert counter.increment(by=-14) == -1
    assert counter.increment(by=0) == -1
    assert counter.increment() == 0
    counter.reset(7)
    assert path.read_bytes() == b"7\n"
    counter.reset()
    assert counter.value == 0


@pytest.mark.parametrize(
    ("content", "value"),
    [
        (b"41", 41),
        (b"41\n", 41),
        (b"41\r\n", 41),
        (b"  41 \n\n", 41),
        (b"0041\n", 41),
        (b"-5\n", -5),
        (b"0", 0),
        (b"9" * 100 + b"\n", 10**100 - 1),
    ],
)
def test_what_an_old_script_left(path: Path, content: bytes, value: int) -> None:
    path.write_bytes(content)
    assert Counter(path).value == value
    assert Counter(path).increment() == value + 1
    assert path.read_bytes() == b"%d\n" % (value + 1)


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        (b"", "''"),
        (b"\n", r"'\n'"),
        (b"abc\n", r"'abc\n'"),
        (b"4 1", "'4 1'"),
        (b"41\n42\n", r"'41\n42\n'"),
        (b"+5", "'+5'"),
        (b"--5", "'--5'"),
        (b"-", "'-'"),
        (b"1_000", "'1_000'"),
        (b"0x10", "'0x10'"),
        (b"4.0", "'4.0'"),
        (b"41\0", r"'41\x00'"),
        ("٤".encode(), r"'\xd9\xa4'"),
        (b"\xef\xbb\xbf41", r"'\xef\xbb\xbf41'"),
        (b"9" * 5000, "'9999"),
    ],
)
def test_what_is_no_number_is_shown_and_never_overwritten(
    path: Path, content: bytes, shown: str
) -> None:
    path.write_bytes(content)
    before = path.stat()
    counter = Counter(path)
    for action in (lambda: counter.value, counter.increment, counter.reset):
        with pytest.raises(StorageError, match=re.escape(shown)) as caught:
            action()
        assert str(path) in str(caught.value)
        # Following it loses no number, and overwrites no file of another kind.
        assert (f"echo 0 > {path}" in str(caught.value)) == (not content.strip())
        assert caught.value.path == str(path)
        assert str(path) not in caught.value.message  # that goes to the client
    assert path.read_bytes() == content
    assert path.stat().st_ino == before.st_ino


@pytest.mark.parametrize("by", [1.0, 1.5, "1", None, b"1", [1]])
def test_counting_is_by_ints(path: Path, by: object) -> None:
    counter = Counter(path)
    counter.reset(5)
    for action in (counter.increment, counter.reset):
        with pytest.raises(TypeError, match="takes an int"):
            action(by)
    assert path.read_bytes() == b"5\n"


def test_a_number_too_large_to_read_again_is_not_written(path: Path) -> None:
    counter = Counter(path)
    counter.reset(10**4299)  # 4,300 digits, the most that Python reads
    assert counter.value == 10**4299
    with pytest.raises(ValueError, match="4300"):
        counter.reset(10**4300)
    path.write_bytes(b"9" * 4300)
    with pytest.raises(ValueError, match="4300"):
        counter.increment()
    assert counter.value == 10**4300 - 1
    assert sorted(os.listdir(path.parent)) == ["count.dat", "count.dat.lock"]


# --- many processes -----------------------------------------------------------------------------

COUNT = """
counter = Counter("count.dat", timeout=60)
for _ in range({times}):
    print(counter.increment(), flush=True)
"""


def test_r_nothing_is_lost_among_many_processes(tmp_path: Path, path: Path) -> None:
    script = write_script(tmp_path, COUNT.format(times=500))
    everyone = [start(script, environment()) for _ in range(8)]
    seen = []
    for process in everyone:
        output, errors = process.communicate(timeout=DEADLINE)
        assert errors == b""
        seen.append([int(line) for line in output.split()])
    assert sorted(number for numbers in seen for number in numbers) == list(range(1, 4001))
    assert all(numbers == sorted(numbers) for numbers in seen)
    assert path.read_bytes() == b"4000\n"


def count_until_killed(path: str, acknowledged: int) -> None:
    counter = Counter(path)
    while True:
        os.write(acknowledged, b"%d\n" % counter.increment())


def test_f_a_killed_process_leaves_a_whole_number_and_every_one_it_told(path: Path) -> None:
    fork = multiprocessing.get_context("fork")
    chance = random.Random(3875)
    total = 0
    for _ in range(300):
        reader, writer = os.pipe()
        process = fork.Process(target=count_until_killed, args=(str(path), writer))
        process.start()
        os.close(writer)
        told = b""
        while told.count(b"\n") < 1:  # it is under way
            told += os.read(reader, 4096)
        # At any point of its round: after a random number of turns of this loop, which take as
        # long as a few of the calls it makes.
        for _ in range(chance.randrange(400)):
            os.getpid()
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        process.close()
        while data := os.read(reader, 65_536):
            told += data
        os.close(reader)
        last = int(told.split(b"\n")[-2])
        content = path.read_bytes()
        assert content.endswith(b"\n")
        assert last <= int(content) <= last + 1
        assert int(content) > total
        total = int(content)
    assert Counter(path).increment() == total + 1


STEPS = {"counters.py", "files.py", "locks.py"}  # where a counter's steps are written down


def test_f_a_kill_at_every_single_call(path: Path) -> None:
    """Stop a process dead after each line that it executes while counting, and look what is left."""
    path.write_bytes(b"41\n")
    values = set()
    for line in range(500):
        pid = os.fork()
        if not pid:
            left = line

            def trace(frame, event, argument):
                nonlocal left
                if Path(frame.f_code.co_filename).name not in STEPS:
                    return None
                if event == "line":
                    left -= 1
                    if left < 0:
                        os.kill(os.getpid(), signal.SIGKILL)
                return trace

            sys.settrace(trace)
            Counter(path).increment()
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        value = int(path.read_bytes())
        values.add((value, os.WIFSIGNALED(status)))
        assert value in (41, 42)
        if not os.WIFSIGNALED(status):
            assert value == 42
            break
        path.write_bytes(b"41\n")
    assert values == {(41, True), (42, True), (42, False)}


# --- hot ----------------------------------------------------------------------------------------


def test_a_hot_counter_stays_a_number_that_old_scripts_read(path: Path) -> None:
    counter = Counter(path, hot=True)
    assert counter.value == 0
    assert not path.exists()
    assert [counter.increment() for _ in range(3)] == [1, 2, 3]
    assert path.read_bytes() == b"               3   \n"
    assert int(path.read_text()) == 3
    inode = path.stat().st_ino
    assert counter.increment(by=-10) == -7
    counter.reset(10**15)
    assert counter.value == Counter(path).value == 10**15
    assert path.stat().st_ino == inode  # in place, all the time
    assert path.stat().st_size == 20


@pytest.mark.parametrize("content", [b"41\n", b"41", b" 41\r\n", b"-5\n", b"0" * 30])
def test_a_hot_counter_takes_an_old_file_over(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    path.chmod(0o640)
    assert Counter(path, hot=True).increment() == int(content) + 1
    assert path.read_bytes() == (b"%16d   \n" % (int(content) + 1))
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_hot_and_other_counters_may_be_mixed(path: Path) -> None:
    hot, cold = Counter(path, hot=True), Counter(path)
    for number in range(1, 21, 2):
        assert hot.increment() == number
        assert cold.increment() == number + 1
        assert path.read_bytes() == b"%d\n" % (number + 1)
    hot.reset(5)
    assert cold.value == 5


@pytest.mark.parametrize("number", [10**16 - 1, 10**18, 10**19 - 1, 10**40, -(10**18), -(10**19)])
def test_a_hot_counter_grows_beyond_its_width(path: Path, number: int) -> None:
    counter = Counter(path, hot=True)
    counter.reset(number)
    assert counter.value == number
    assert [counter.increment(), counter.increment(), counter.increment(-3)] == [
        number + 1,
        number + 2,
        number - 1,
    ]
    assert int(path.read_bytes()) == number - 1


def test_a_hot_counter_never_writes_into_a_file_with_two_names(path: Path) -> None:
    precious = path.parent / "precious"
    precious.write_bytes(b"               5   \n")
    path.hardlink_to(precious)
    assert Counter(path, hot=True).increment() == 6
    assert precious.read_bytes() == b"               5   \n"


def test_a_hot_counter_never_writes_into_what_is_no_number(path: Path) -> None:
    for content in (b"precious, 20 bytes.\n", b"", b"               5  5\n"):
        path.write_bytes(content)
        for action in (Counter(path, hot=True).increment, Counter(path, hot=True).reset):
            with pytest.raises(StorageError, match="not a number"):
                action()
        assert path.read_bytes() == content


@pytest.mark.parametrize("number", [0, -5, 10**15, 10**18 - 1, 10**19 - 1, 10**30, -(10**18)])
def test_a_hot_counter_is_read_under_the_lock(path: Path, number: int) -> None:
    # without it, a reader sees digits of two numbers once in 10,000 times that all digits change
    Counter(path, hot=True).reset(number)
    with FileLock(f"{path}.lock"), pytest.raises(LockTimeout):
        Counter(path, timeout=0).value  # noqa: B018
    with FileLock(f"{path}.lock", shared=True):
        assert Counter(path, timeout=0).value == number


@pytest.mark.parametrize("hot", [False, True])
def test_durable_waits_for_the_disk_at_every_change(
    path: Path, monkeypatch: pytest.MonkeyPatch, hot: bool
) -> None:
    made: list[str] = []
    for name in ("write", "pwrite", "fsync", "fdatasync", "replace"):
        real = getattr(os, name)
        monkeypatch.setattr(
            os, name, lambda *words, _n=name, _real=real: (made.append(_n), _real(*words))[1]
        )
    counter = Counter(path, hot=hot, durable=True)
    counter.increment()
    assert made == ["write", "fsync", "replace", "fsync"]
    made.clear()
    assert counter.increment() == 2
    assert made == (["pwrite", "fdatasync"] if hot else ["write", "fsync", "replace", "fsync"])


# --- many in one file ---------------------------------------------------------------------------


def test_many_counters_in_one_file(tmp_path: Path) -> None:
    path = tmp_path / "data" / "pages.json"
    counters = Counters(path)
    assert counters.all() == {}
    assert counters["a"].value == 0
    assert not path.parent.exists()
    assert counters["a"].increment() == 1
    assert counters["größe: 5\0\u2028"].increment(by=5) == 5
    assert counters["a"].increment(-3) == -2
    counters[""].reset(7)
    assert counters.all() == {"a": -2, "größe: 5\0\u2028": 5, "": 7}
    assert counters["a"].value == -2
    assert json.loads(path.read_text()) == counters.all()
    for name in ("a\n", "\r", "a\nb"):
        with pytest.raises(ValueError, match="line ends"):
            counters[name]
    for bad in (1, None, b"a"):
        with pytest.raises(TypeError, match="str"):
            counters[bad]
    for bad in ("1", 1.5, None):
        with pytest.raises(TypeError, match="takes an int"):
            counters["a"].increment(bad)


@pytest.mark.parametrize(
    "content",
    [
        b"[]",
        b'{"a": "1"}',
        b'{"a": 1.0}',
        b'{"a": true}',
        b'{"a": null, "b": 1}',
        b"41\n",
        b"",
        b"{",
    ],
)
def test_a_file_that_holds_no_counters_is_never_overwritten(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    counters = Counters(path)
    for action in (counters.all, counters["b"].increment, counters["a"].reset):
        with pytest.raises(StorageError, match="correct it"):
            action()
    assert path.read_bytes() == content


@given(st.lists(st.tuples(st.sampled_from("abc") | any_texts, st.integers())))
def test_counters_count_as_integers_do(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]
) -> None:
    path = tmp_path_factory.getbasetemp() / "many.json"
    path.unlink(missing_ok=True)
    expected: dict[str, int] = {}
    for name, by in steps:
        if "\n" in name or "\r" in name:
            continue
        expected[name] = expected.get(name, 0) + by
        assert Counters(path)[name].increment(by) == expected[name]
    assert Counters(path).all() == expected


@given(st.lists(st.tuples(st.booleans(), st.integers() | st.integers(10**14, 10**20))))
def test_a_counter_counts_as_integers_do(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[bool, int]]
) -> None:
    path = tmp_path_factory.getbasetemp() / "one.dat"
    path.unlink(missing_ok=True)
    total = 0
    for hot, by in steps:
        total += by
        assert Counter(path, hot=hot).increment(by) == total
        assert Counter(path).value == int(path.read_bytes()) == total


# --- what lies in the way -----------------------------------------------------------------------


def test_a_missing_directory_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    counter = Counter("data/count.dat")
    assert counter.value == 0
    assert not (tmp_path / "data").exists()
    assert counter.increment() == 1
    assert (tmp_path / "data" / "count.dat").read_bytes() == b"1\n"
    with pytest.raises(StorageError, match="cannot make the directory"):
        Counter("no/such/count.dat").increment()


@pytest.mark.parametrize("name", ["count.dat", "count.dat.lock"])
def test_s7_a_symbolic_link_is_refused(path: Path, name: str) -> None:
    target = path.parent / "precious"
    target.write_bytes(b"5\n")
    (path.parent / name).symlink_to(target)
    with pytest.raises(StorageError, match="symbolic link"):
        Counter(path).increment()
    if name == path.name:
        with pytest.raises(StorageError, match="symbolic link"):
            Counter(path).value  # noqa: B018
    assert target.read_bytes() == b"5\n"
    assert (path.parent / name).is_symlink()


@pytest.mark.parametrize("kind", ["file", "symlink", "dangling symlink", "hard link", "FIFO"])
def test_s7_what_lies_at_the_temporary_name_is_never_opened(path: Path, kind: str) -> None:
    target = path.parent / "precious"
    target.write_bytes(b"precious")
    new = Path(temporary_name(str(path)))
    {
        "file": lambda: new.write_bytes(b"99999 from a killed writer"),
        "symlink": lambda: new.symlink_to(target),
        "dangling symlink": lambda: new.symlink_to(path.parent / "made"),
        "hard link": lambda: new.hardlink_to(target),
        "FIFO": lambda: os.mkfifo(new),
    }[kind]()
    assert Counter(path).increment() == 1
    assert target.read_bytes() == b"precious"
    assert path.read_bytes() == b"1\n"
    assert stat.S_ISREG(path.lstat().st_mode)
    assert sorted(os.listdir(path.parent)) == ["count.dat", "count.dat.lock", "precious"]


@pytest.mark.parametrize("name", ["count.dat", "count.dat.lock", ".count.dat.cgikit-new"])
def test_a_directory_in_the_way(path: Path, name: str) -> None:
    (path.parent / name).mkdir()
    with pytest.raises(StorageError, match=str(path)):
        Counter(path).increment()
    assert (path.parent / name).is_dir()


def test_a_fifo_in_the_way_does_not_hang(path: Path) -> None:
    os.mkfifo(path)
    with pytest.raises(StorageError, match="is a FIFO"):
        Counter(path).increment()


def test_a_file_as_its_directory(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    counter = Counter(tmp_path / "file" / "count.dat")
    for action in (counter.increment, lambda: counter.value):
        with pytest.raises(StorageError):
            action()


# --- modes and owners ---------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o666, 0o444, 0o604])
def test_the_mode_is_kept(path: Path, mode: int) -> None:
    path.write_bytes(b"41")
    path.chmod(mode)
    old = os.umask(0o077)
    try:
        Counter(path).increment()
        Counter(path).reset(1)
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == mode


@pytest.mark.parametrize(("mask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_a_new_counter_has_the_mode_of_the_umask(path: Path, mask: int, mode: int) -> None:
    old = os.umask(mask)
    try:
        Counter(path).increment()
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == mode


NOBODY = 65_534


def as_nobody(directory: Path, source: str, *groups: int) -> str:
    """What an unprivileged user's process prints of a block of statements."""
    if os.geteuid():
        lack("root, to become another user")

    reader, writer = os.pipe()
    pid = os.fork()
    if not pid:  # a fork and not a new interpreter, which this user may not be able to enter
        try:
            os.chdir(directory)  # while its parents can still be entered
            os.setgroups(groups)
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            printed: list[str] = []
            exec(
                source,
                {"Counter": Counter, "print": lambda *x: printed.append(" ".join(map(str, x)))},
            )
            os.write(writer, "\n".join(printed).encode())
        except BaseException as error:
            os.write(writer, f"{type(error).__name__}: {error}".encode())
        finally:
            os._exit(0)
    os.close(writer)
    with open(reader, encoding="utf-8") as file:
        output = file.read()
    os.waitpid(pid, 0)
    return output


def test_the_owner_is_kept(path: Path) -> None:
    if os.geteuid():
        lack("root, to give a file away")
    path.write_bytes(b"41")
    os.chown(path, NOBODY, 12)
    Counter(path).increment()
    assert (path.stat().st_uid, path.stat().st_gid) == (NOBODY, 12)


def test_the_group_is_kept_by_one_who_cannot_give_a_file_away(path: Path) -> None:
    path.parent.chmod(0o777)
    path.write_bytes(b"41")
    path.chmod(0o664)
    Path(f"{path}.lock").touch(0o666)
    if not os.geteuid():
        os.chown(path, 0, 12)
    assert as_nobody(path.parent, "print(Counter('count.dat').increment())", 12) == "42"
    assert (path.stat().st_uid, path.stat().st_gid) == (NOBODY, 12)
    assert stat.S_IMODE(path.stat().st_mode) == 0o664


def test_a_read_only_directory_says_what_to_do(path: Path) -> None:
    path.write_bytes(b"41")
    path.parent.chmod(0o555)
    said = as_nobody(path.parent, "Counter('count.dat').increment()")
    assert said.startswith("StorageError: count.dat.lock: cannot make the lock file: ")
    assert "the script runs as user 65534, who must be able to write in " in said
    assert said.endswith(str(path.parent))
    Path(f"{path}.lock").touch()
    said = as_nobody(path.parent, "Counter('count.dat').increment()")
    assert said.startswith("StorageError: count.dat: cannot write the counter: ")
    assert "must be able to write in" in said
    assert path.read_bytes() == b"41"


def test_a_counter_that_may_not_be_read_says_so(path: Path) -> None:
    path.write_bytes(b"41")
    path.chmod(0o600)
    path.parent.chmod(0o777)
    said = as_nobody(path.parent, "Counter('count.dat').increment()")
    assert said.startswith("StorageError: count.dat: cannot read the counter: Permission denied")
    assert path.read_bytes() == b"41"


def test_a_lock_file_of_another_user_locks_nobody_out(path: Path) -> None:
    # who tries a script by hand makes the lock file; the server's user comes later
    path.parent.chmod(0o777)
    Counter(path).increment()
    Path(f"{path}.lock").chmod(0o644)
    path.chmod(0o644)
    assert as_nobody(path.parent, "print(Counter('count.dat').increment())") == "2"
    with FileLock(f"{path}.lock"):
        said = as_nobody(path.parent, "Counter('count.dat', timeout=0).increment()")
    assert said.startswith("LockTimeout")


def test_f_a_full_disk_keeps_the_old_number(tmp_path: Path) -> None:
    if os.geteuid():
        lack("root, to mount a small file system")
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k,nr_inodes=10", "tmpfs", str(disk)]
    done = subprocess.run(mount, capture_output=True, check=False)
    if done.returncode:
        lack(f"the right to mount: {done.stderr.decode()}")
    try:
        counter = Counter(disk / "count.dat")
        counter.reset(41)
        with pytest.raises(OSError, match="No space left"):
            (disk / "filler").write_bytes(b"x" * 100_000)
        for _ in range(3):
            with pytest.raises(StorageError, match="cannot write the counter: No space left"):
                counter.increment()
        assert counter.value == 41
        (disk / "filler").unlink()
        assert counter.increment() == 42
        assert sorted(os.listdir(disk)) == ["count.dat", "count.dat.lock"]
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.parametrize(
    ("content", "number"),
    [
        (b"1,234\n", "1234"),
        (b"-1,234,567", "-1234567"),
        (b"1.234", "1234"),
        ("1\u202f234".encode(), "1234"),
        (b"1'234", "1234"),
        (b"1_000", "1000"),
        (b"4.0", ""),
        (b"1,23", ""),
        (b"1,234.5", ""),
        (b"root:x:0:0:root", ""),
    ],
)
def test_the_advice_loses_no_number(path: Path, content: bytes, number: str) -> None:
    """9/1.5: "echo 0 > …" for a counter that holds 1,234."""
    path.write_bytes(content)
    with pytest.raises(StorageError) as caught:
        Counter(path).increment()
    assert "echo 0" not in str(caught.value)
    if number:
        assert str(caught.value).endswith(
            f"; if it is {number}, write it so: echo {number} > {path}"
        )
    else:
        assert "check whether it is a counter file at all" in str(caught.value)


def test_names_are_told_and_forgotten(path: Path) -> None:
    counters = Counters(path)
    assert (list(counters), len(counters), "a" in counters, bool(counters)) == ([], 0, False, True)
    for name in ("b", "a", "b"):
        counters[name].increment()
    assert (list(counters), len(counters), "a" in counters, 1 in counters) == (
        ["b", "a"],
        2,
        True,
        False,
    )
    assert "c" not in counters
    assert counters["c"].value == 0
    assert "c" not in counters  # to look counts nothing
    del counters["b"]
    assert counters.all() == {"a": 1}
    with pytest.raises(KeyError):
        del counters["b"]
    with pytest.raises(ValueError, match="line ends"):
        del counters["b\n"]
    for name in counters:  # may be changed meanwhile
        del counters[name]
    assert path.read_text() == "{}\n"
