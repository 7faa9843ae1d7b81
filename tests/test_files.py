"""Counter and its lock: never lost, never torn, never overwritten, and errors that say what to do."""

import fcntl
import linecache
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
from requirement import lack

from cgikit import Counter, LockTimeout, StorageError
from cgikit.files import FileLock


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
        assert f"echo 0 > {path}" in str(caught.value)
        assert caught.value.path == str(path)
        assert str(path) not in caught.value.message  # that goes to the client
    assert path.read_bytes() == content
    assert path.stat().st_ino == before.st_ino


@pytest.mark.parametrize("by", [1.0, 1.5, "1", None, b"1", [1]])
def test_counting_is_by_ints(path: Path, by: object) -> None:
    counter = Counter(path)
    counter.reset(5)
    for action in (counter.increment, counter.reset):
        with pytest.raises(TypeError, match="ints"):
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


def test_f_a_kill_at_every_single_call(path: Path) -> None:
    """Stop a process dead after each line that it executes while counting, and look what is left."""
    path.write_bytes(b"41\n")
    values = set()
    for line in range(200):
        pid = os.fork()
        if not pid:
            left = line

            def trace(frame, event, argument):
                nonlocal left
                if not frame.f_code.co_filename.endswith("files.py"):
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


# --- the lock -----------------------------------------------------------------------------------


def test_a_lock_that_is_held_times_out(path: Path) -> None:
    path.write_bytes(b"41\n")
    with FileLock(f"{path}.lock"):
        for timeout in (0, 0.05):
            with pytest.raises(LockTimeout) as caught:
                Counter(path, timeout=timeout).increment()
            assert (caught.value.timeout, caught.value.status) == (timeout, 503)
            assert caught.value.path == f"{path}.lock"
            assert isinstance(caught.value, TimeoutError)
            assert str(path) not in caught.value.message
        assert Counter(path).value == 41  # reading needs no lock
    assert Counter(path, timeout=0).increment() == 42


def test_a_lock_is_let_go_after_an_error(path: Path) -> None:
    path.write_bytes(b"bad")
    with pytest.raises(StorageError):
        Counter(path).increment()
    path.write_bytes(b"1")
    assert Counter(path, timeout=0).increment() == 2


def test_the_lock_of_a_process_that_died_is_free(path: Path) -> None:
    source = "with FileLock('count.dat.lock'):\n    print('held', flush=True)\n    sys.stdin.read()"
    script = write_script(path.parent, "from cgikit.files import FileLock\n" + source)
    with start(script, environment()) as process:
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(LockTimeout):
            Counter(path, timeout=0).increment()
        process.kill()
        process.wait()
    assert Counter(path, timeout=0).increment() == 1


def test_a_lock_file_replaced_between_opening_and_locking_is_noticed(path: Path) -> None:
    # the lock would be on a file without a name, and another process would get one as well
    lock = Path(f"{path}.lock")
    others: list[int] = []

    def replace(frame, event, argument):
        if not frame.f_code.co_filename.endswith("cgikit/files.py"):
            return None
        line = linecache.getline(frame.f_code.co_filename, frame.f_lineno)
        if event == "line" and "fcntl.flock" in line and not others:
            lock.unlink()
            others.append(os.open(lock, os.O_RDONLY | os.O_CREAT))
            fcntl.flock(others[0], fcntl.LOCK_EX)
        return replace

    before = sys.gettrace()
    sys.settrace(replace)
    try:
        with pytest.raises(LockTimeout):
            Counter(path, timeout=0).increment()
    finally:
        sys.settrace(before)
    os.close(others[0])
    assert Counter(path, timeout=0).increment() == 1


def test_a_lock_on_a_file_that_was_replaced_is_not_taken(path: Path) -> None:
    lock = Path(f"{path}.lock")
    lock.touch()
    old = os.open(lock, os.O_RDONLY)
    fcntl.flock(old, fcntl.LOCK_EX)
    lock.unlink()  # what nobody should do
    with FileLock(str(lock), timeout=0) as held:
        assert os.fstat(held._fd).st_ino == lock.stat().st_ino
    os.close(old)


def test_no_descriptor_is_left(path: Path) -> None:
    counter = Counter(path)
    before = os.listdir("/proc/self/fd")
    counter.increment()
    with FileLock(f"{path}.lock"), pytest.raises(LockTimeout):
        Counter(path, timeout=0).increment()
    path.write_bytes(b"bad")
    with pytest.raises(StorageError):
        counter.increment()
    assert os.listdir("/proc/self/fd") == before


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
    new = Path(f"{path}.new")
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


@pytest.mark.parametrize("name", ["count.dat", "count.dat.lock", "count.dat.new"])
def test_a_directory_in_the_way(path: Path, name: str) -> None:
    (path.parent / name).mkdir()
    with pytest.raises(StorageError, match=str(path)):
        Counter(path).increment()
    assert (path.parent / name).is_dir()


def test_a_fifo_in_the_way_does_not_hang(path: Path) -> None:
    os.mkfifo(path)
    with pytest.raises(StorageError, match="not a number"):
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
    assert said.startswith("StorageError: count.dat.lock: cannot open the lock file: ")
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
