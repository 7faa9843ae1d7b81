"""Locks: one owner at a time, whoever replaces the lock file; let go by every way out."""

import fcntl
import linecache
import os
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from child import DEADLINE, environment, start, write_script
from nobody import NOBODY, forked_as_nobody
from requirement import lack

from cgikit import Counter, Counters, LockTimeout, StorageError, append_line, lock, update_json
from cgikit.lines import take_lines
from cgikit.locks import FileLock, is_note, leads_to


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "count.dat"


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
    script = write_script(path.parent, "from cgikit.locks import FileLock\n" + source)
    with start(script, environment()) as process:
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(LockTimeout):
            Counter(path, timeout=0).increment()
        process.kill()
        process.wait()
    assert Counter(path, timeout=0).increment() == 1


def test_a_lock_file_replaced_between_opening_and_locking_is_noticed(path: Path) -> None:
    # the lock would be on a file without a name, and another process would get one as well
    name = Path(f"{path}.lock")
    others: list[int] = []

    def replace(frame, event, argument):
        if not frame.f_code.co_filename.endswith("cgikit/locks.py"):
            return None
        line = linecache.getline(frame.f_code.co_filename, frame.f_lineno)
        if event == "line" and "fcntl.flock" in line and not others:
            name.unlink()
            others.append(os.open(name, os.O_RDONLY | os.O_CREAT))
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
    name = Path(f"{path}.lock")
    name.touch()
    old = os.open(name, os.O_RDONLY)
    fcntl.flock(old, fcntl.LOCK_EX)
    name.unlink()  # what nobody should do
    with FileLock(str(name), timeout=0) as held:
        assert os.fstat(held.fileno()).st_ino == name.stat().st_ino
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


# --- lock() -------------------------------------------------------------------------------------


def test_the_lock_is_beside_the_path(path: Path) -> None:
    with lock(path) as held:
        assert held.path == f"{path}.lock"
        assert os.listdir(path.parent) == ["count.dat.lock"]
        with pytest.raises(LockTimeout), lock(str(path), timeout=0):
            pytest.fail("two are inside")
        with pytest.raises(LockTimeout), lock(path, shared=True, timeout=0):
            pytest.fail("two are inside")
    assert Path(f"{path}.lock").read_bytes() == b""
    with lock(path, timeout=0):
        pass


def test_readers_share_and_writers_do_not(path: Path) -> None:
    readers = lock(path, shared=True), lock(path, shared=True, timeout=0)
    with readers[0], readers[1], pytest.raises(LockTimeout), lock(path, timeout=0):
        pytest.fail("a writer among readers")
    with lock(path, timeout=0):
        pass


def test_an_error_in_the_block_lets_go_and_passes(path: Path) -> None:
    with pytest.raises(KeyError, match="mine"), lock(path):
        raise KeyError("mine")
    with lock(path, timeout=0):
        pass


def test_one_lock_can_be_taken_again(path: Path) -> None:
    again = lock(path, timeout=0)
    for _ in range(3):
        with again:
            pass


def test_a_missing_directory_is_made(tmp_path: Path) -> None:
    with lock(tmp_path / "data" / "x"):
        assert os.listdir(tmp_path / "data") == ["x.lock"]
    with pytest.raises(StorageError, match="cannot make the directory"), lock(tmp_path / "a/b/x"):
        pass


def test_a_directory_that_was_removed_under_us_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(StorageError), lock("x"):
        pass


def test_a_child_that_ends_does_not_let_go_of_its_parents_lock(path: Path) -> None:
    with lock(path):
        pid = os.fork()
        if not pid:
            os._exit(0)
        os.waitpid(pid, 0)
        with pytest.raises(LockTimeout), lock(path, timeout=0):
            pytest.fail("two are inside")


@pytest.mark.parametrize("kind", ["symlink", "dangling symlink", "directory"])
def test_s7_what_is_no_file_is_no_lock(path: Path, kind: str) -> None:
    target = path.parent / "target"
    name = Path(f"{path}.lock")
    if kind == "symlink":
        target.touch()
    name.mkdir() if kind == "directory" else name.symlink_to(target)
    with pytest.raises(StorageError, match="cannot open the lock file"), lock(path):
        pass
    assert target.exists() == (kind == "symlink")


# --- threads, and what the log says -------------------------------------------------------------


@pytest.mark.parametrize("shared", [True, False])
def test_a_lock_that_threads_share_is_released_by_the_last(path: Path, shared: bool) -> None:
    """9/2.8: of a module's `lock(shared=True)` only the last descriptor was closed."""
    held, go_on = threading.Barrier(4), threading.Event()
    one = lock(path, shared=shared, timeout=DEADLINE)

    def work() -> None:
        with one:
            if shared:
                held.wait(DEADLINE)
                assert go_on.wait(DEADLINE)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    if shared:
        held.wait(DEADLINE)
        with pytest.raises(LockTimeout), lock(path, timeout=0):
            pass
        go_on.set()
    for thread in threads:
        thread.join()
    assert one.fileno() == -1
    with lock(path, timeout=0):
        pass


def test_the_log_says_which_lock_and_that_the_holder_is_this_process(path: Path) -> None:
    """9/2.8: it named no lock, and blamed another process for a lock within a lock."""
    with lock(path), pytest.raises(LockTimeout) as caught, lock(path, timeout=0):
        pass
    assert f"{path}.lock: this process itself held the lock for 0 seconds" in str(caught.value)
    assert "release the lock before you take it again" in str(caught.value)
    assert str(path) not in caught.value.message


def test_the_log_says_which_process_holds_the_lock(path: Path) -> None:
    source = "with lock('count.dat'):\n    print('held', flush=True)\n    sys.stdin.read()"
    script = write_script(path.parent, source)
    with start(script, environment()) as process:
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(LockTimeout) as caught, lock(path, timeout=0):
            pass
        process.stdin.close()
        process.wait()
    assert f"{path}.lock: process {process.pid} held the lock" in str(caught.value)


# --- lock files that are none ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "take",
    [
        lambda path: append_line(path, "x"),
        lambda path: append_line(path, "x" * 9_000),
        lambda path: Counter(path).increment(),
        lambda path: Counter(path, hot=True).increment(),
        lambda path: Counters(path)["a"].increment(),
        lambda path: lock(path).__enter__(),
        lambda path: lock(path, shared=True).__enter__(),
        lambda path: update_json(path).__enter__(),
        lambda path: take_lines(path).__enter__(),
    ],
)
@pytest.mark.parametrize(
    "content", [b"x", b"[[package]]\n", b"1234\n", b"1 2 3\n", b"1 2", b"0" * 65 + b" 1\n"]
)
@pytest.mark.parametrize("linked", [False, True])
def test_s7_a_lock_file_of_somebody_else_is_refused_and_kept(
    path: Path, take: Callable[[Path], object], content: bytes, linked: bool
) -> None:
    """9/2.2: `append_line("poetry")` emptied poetry.lock."""
    theirs = Path(f"{path}.lock")
    theirs.write_bytes(content)
    if linked:
        theirs.rename(path.parent / "precious")
        theirs.hardlink_to(path.parent / "precious")
    before = theirs.stat()
    with pytest.raises(
        StorageError, match=r"not a lock file of cgikit.*move it away, or use"
    ) as caught:
        take(path)
    assert caught.value.path == str(theirs)
    assert (theirs.read_bytes(), theirs.stat().st_mtime_ns) == (content, before.st_mtime_ns)
    assert not path.exists()
    theirs.unlink()
    append_line(path, "x", timeout=0)


def test_no_note_is_written_into_a_file_with_another_name(path: Path) -> None:
    precious = path.parent / "precious"
    precious.touch()
    Path(f"{path}.lock").hardlink_to(precious)
    before = precious.stat()
    append_line(path, "x" * 100_000)
    assert (precious.read_bytes(), precious.stat().st_mtime_ns) == (b"", before.st_mtime_ns)


def test_a_file_of_ones_own_can_be_locked_itself(path: Path) -> None:
    path.write_bytes(b"content")
    with FileLock(path) as held:
        assert held.fileno() >= 0
    assert path.read_bytes() == b"content"


# --- the owner and the mode of a lock file --------------------------------------------------------


@pytest.mark.parametrize(
    ("mode", "expected"), [(0o640, 0o640), (0o444, 0o644), (0o400, 0o600), (0o777, 0o666)]
)
def test_a_lock_file_has_the_mode_of_the_file_and_can_be_opened_by_its_owner(
    path: Path, mode: int, expected: int
) -> None:
    path.touch()
    path.chmod(mode)
    with lock(path):
        assert Path(f"{path}.lock").stat().st_mode & 0o777 == expected


def test_in_a_directory_for_everybody_others_can_only_read_it(path: Path) -> None:
    path.parent.chmod(0o1777)
    with lock(path):
        assert Path(f"{path}.lock").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("linked", [False, True])
def test_root_opens_a_lock_file_of_its_own_to_the_user_of_the_file(
    path: Path, linked: bool
) -> None:
    """Older versions, run by root, made one that locks the scripts out. One with a second name may be
    another program's.
    """
    if os.geteuid():
        lack("root")
    path.touch()
    os.chown(path, NOBODY, NOBODY)
    path.chmod(0o660)
    held = Path(f"{path}.lock")
    held.touch(0o600)
    if linked:
        (path.parent / "other").hardlink_to(held)
    with lock(path):
        found = held.stat()
    theirs = (0, 0, 0o600) if linked else (NOBODY, NOBODY, 0o660)
    assert (found.st_uid, found.st_gid, found.st_mode & 0o777) == theirs


def test_who_cannot_give_the_lock_file_away_keeps_its_group() -> None:
    if os.geteuid():
        lack("root, to become another user")
    with tempfile.TemporaryDirectory() as place:  # nobody may not enter pytest's
        os.chown(place, 0, NOBODY - 1)
        os.chmod(place, 0o2777)  # new files get the directory's group
        path = Path(place, "count.dat")
        path.touch()
        os.chown(path, 0, NOBODY)
        path.chmod(0o660)
        code = "with lock(path): pass"
        assert forked_as_nobody(place, code, {"lock": lock, "path": str(path)}) == "done"
        found = Path(f"{path}.lock").stat()
    assert (found.st_uid, found.st_gid, found.st_mode & 0o777) == (NOBODY, NOBODY, 0o660)


@pytest.mark.parametrize(
    ("content", "ours"),
    [
        (b"", True), (b"\0" * 64, True), (b"12 345\n", True),
        (b"x", False), (b" ", False), (b"\n", False), (b"\0" * 65, False), (b"1 x\n", False),
    ],
)  # fmt: skip
def test_only_nothing_zeros_and_a_note_are_ours(content: bytes, ours: bool) -> None:
    assert is_note(content) == ours


def test_a_name_that_leads_elsewhere_is_noticed(path: Path) -> None:
    path.touch()
    fd = os.open(path, os.O_RDONLY)
    try:
        found = leads_to(str(path), fd)
        assert found is not None
        assert found.st_ino == path.stat().st_ino
        (path.parent / "new").touch()
        os.replace(path.parent / "new", path)
        assert leads_to(str(path), fd) is None
        path.unlink()
        assert leads_to(str(path), fd) is None
    finally:
        os.close(fd)
