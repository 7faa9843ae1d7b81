"""Locks: one owner at a time, whoever replaces the lock file; let go by every way out."""

import fcntl
import linecache
import os
import sys
from pathlib import Path

import pytest
from child import environment, start, write_script

from cgikit import Counter, LockTimeout, StorageError, lock
from cgikit.locks import FileLock


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
        assert os.fstat(held._fd).st_ino == name.stat().st_ino
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
