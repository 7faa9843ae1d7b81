"""The directory of a file store: its shards, whose it is, and how often it is opened."""

import os
import threading
from pathlib import Path

import pytest
from requirement import lack
from sessions.contract import NOW, a_key, a_record
from sessions.forked import Forked, Line

from cgikit import FileStore, StorageError
from cgikit.sessions.directory import STAMP, SessionDirectory

KEY = "ab" + "c" * 62
OTHER = "ab" + "d" * 62


@pytest.fixture
def directory(tmp_path: Path) -> SessionDirectory:
    return SessionDirectory(str(tmp_path / "data/sessions"), lambda: NOW)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of all directories that are opened."""
    names: list[str] = []
    real = os.open

    def watched(path: str, flags: int, *rest: int, **options: int) -> int:
        if flags & os.O_DIRECTORY:
            names.append(os.path.basename(path))
        return real(path, flags, *rest, **options)

    monkeypatch.setattr(os, "open", watched)
    return names


def test_what_is_missing_is_not_made_unless_asked_for(directory: SessionDirectory) -> None:
    with pytest.raises(FileNotFoundError):
        directory.shard(KEY)
    assert not os.path.exists(directory.path)
    directory.open_shard("ff", create=True).close()
    with pytest.raises(FileNotFoundError):
        directory.shard(KEY)
    assert sorted(os.listdir(directory.path)) == ["ff", STAMP]


def test_what_is_made_is_closed_to_others(directory: SessionDirectory) -> None:
    with directory.shard(KEY, create=True):
        pass
    for path in (directory.path, f"{directory.path}/ab"):
        assert os.stat(path).st_mode & 0o777 == 0o700
    assert os.stat(f"{directory.path}/{STAMP}").st_mode & 0o777 == 0o600


def test_its_shards_are_listed_and_nothing_else(directory: SessionDirectory) -> None:
    assert directory.shards() == []
    for name in ("ff", "00", "a1"):
        directory.open_shard(name, create=True).close()
    for name in ("AB", "abc", "a", "gg"):
        Path(directory.path, name).mkdir()
    assert directory.shards() == ["00", "a1", "ff"]


@pytest.mark.parametrize("key", ["", "ab", "../" * 21 + "a", "A" * 64])
def test_s5_what_is_no_key_reaches_no_system_call(
    directory: SessionDirectory, opened: list[str], key: str
) -> None:
    with pytest.raises(ValueError, match="not a valid key of a session"):
        directory.shard(key, create=True)
    assert opened == []


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o702, 0o720])
@pytest.mark.parametrize("name", ["", "ab"])
def test_a_directory_that_others_can_write_to_is_refused(
    directory: SessionDirectory, name: str, mode: int
) -> None:
    directory.shard(KEY, create=True).close()
    os.chmod(os.path.join(directory.path, name), mode)
    with pytest.raises(StorageError, match="other users can write to it; close it: chmod go-w"):
        directory.shard(KEY)


@pytest.mark.parametrize("mode", [0o755, 0o500, 0o711])
def test_one_that_others_can_read_is_not(directory: SessionDirectory, mode: int) -> None:
    directory.shard(KEY, create=True).close()
    os.chmod(directory.path, mode)
    directory.shard(KEY).close()


def test_a_request_opens_the_directory_and_its_shard_once(
    tmp_path: Path, opened: list[str]
) -> None:
    """It was three times: to open the file, to look whether it is still there, to write the new one."""
    store = FileStore(tmp_path / "sessions", clock=lambda: NOW)
    key = a_key()
    store.save(key, a_record(1), new=True)
    opened.clear()
    with store.lock(key, 0) as record:
        assert record is not None
        store.touch(key, NOW + 1)
        store.save(key, a_record(2))
    assert opened == ["sessions", key[:2]]


def test_every_descriptor_is_closed(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "sessions", clock=lambda: NOW)
    key = a_key()
    before = os.listdir("/proc/self/fd")
    store.save(key, a_record(1), new=True)
    for _ in range(3):
        with store.lock(key, 0):
            store.save(key, a_record(2))
        with store.lock(a_key(), 0) as record:
            assert record is None
        store.sync(key)
        store.load(key)
        assert list(store.keys()) == [key]
        store.purge_stamp(renew=True)
    with store.lock(key, 0):
        store.delete(key)
    assert os.listdir("/proc/self/fd") == before


def test_what_is_kept_open_is_not_used_once_the_directory_was_moved(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "sessions", clock=lambda: NOW)
    key = a_key()
    store.save(key, a_record(1), new=True)
    with store.lock(key, 0):
        os.rename(tmp_path / "sessions", tmp_path / "moved")
        store.save(key, a_record(2))
    assert (tmp_path / "sessions" / key[:2] / key).read_bytes().endswith(a_record(2).payload)
    assert (tmp_path / "moved" / key[:2] / key).read_bytes().endswith(a_record(1).payload)


def test_what_a_thread_keeps_open_is_no_other_thread_s(directory: SessionDirectory) -> None:
    """Its descriptor can be closed at any moment, and be another file's by then."""
    kept = directory.shard(KEY, create=True)
    holder = directory.keep(KEY, kept)
    found: list[int] = []

    def other() -> None:
        with directory.shard(KEY) as shard:
            found.append(shard.fd)

    thread = threading.Thread(target=other)
    thread.start()
    thread.join(60)
    assert found
    assert found != [kept.fd]
    with directory.shard(KEY) as shard:
        assert shard.fd == kept.fd
    os.fstat(kept.fd)  # borrowed, and so not closed
    with directory.shard(OTHER) as shard:
        assert shard.fd != kept.fd
    directory.let_go(holder)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(kept.fd)


def test_a_child_that_ends_closes_nothing_of_its_parent_s(tmp_path: Path) -> None:
    store = FileStore(tmp_path / "sessions", clock=lambda: NOW)
    key = a_key()
    store.save(key, a_record(1), new=True)
    lock = store.lock(key, 0)
    with lock:

        def work(line: Line) -> None:
            lock.__exit__(None, None, None)
            line.tell("left")

        with Forked(work) as child:
            assert child.hear() == "left"
        store.save(key, a_record(2))
    record = store.load(key)
    assert record is not None
    assert record.payload == a_record(2).payload


def test_an_error_names_the_file_the_reason_and_what_to_do(directory: SessionDirectory) -> None:
    attempt = directory.attempt("cannot do it", KEY)
    with pytest.raises(StorageError) as raised, attempt:
        raise OSError(30, "Read-only file system")
    assert raised.value.path == f"{directory.path}/ab/{KEY}"
    assert raised.value.reason == (
        "cannot do it: Read-only file system; its file system is mounted read-only"
    )


def test_a_file_that_is_missing_ends_an_attempt(directory: SessionDirectory) -> None:
    with directory.attempt("cannot do it", KEY):
        raise FileNotFoundError(2, "No such file or directory")
    with (
        pytest.raises(StorageError, match="cannot do it: No such file"),
        directory.attempt("cannot do it", KEY, must_exist=True),
    ):
        raise FileNotFoundError(2, "No such file or directory")


@pytest.mark.parametrize("error", [ValueError("x"), StorageError("x", "y"), KeyboardInterrupt()])
def test_other_errors_pass_through_an_attempt(
    directory: SessionDirectory, error: BaseException
) -> None:
    with pytest.raises(type(error)) as raised, directory.attempt("cannot do it", KEY):
        raise error
    assert raised.value is error


def test_a_new_directory_begins_with_a_stamp(directory: SessionDirectory) -> None:
    assert directory.purge_stamp() == 0.0
    os.close(directory.open_base(create=True))
    assert directory.purge_stamp() == NOW


def test_one_that_was_made_by_hand_gets_its_stamp_with_the_first_shard(
    directory: SessionDirectory,
) -> None:
    os.makedirs(directory.path, 0o700)
    os.close(directory.open_base(create=True))
    assert directory.purge_stamp() == 0.0
    directory.shard(KEY, create=True).close()
    assert directory.purge_stamp() == NOW
    os.utime(os.path.join(directory.path, STAMP), (5, 5))
    directory.open_shard("ff", create=True).close()
    assert directory.purge_stamp() == 5.0


@pytest.mark.parametrize("name", ["", "ab"])
def test_s7_a_link_is_not_followed(directory: SessionDirectory, name: str) -> None:
    directory.shard(KEY, create=True).close()
    place = os.path.join(directory.path, name).rstrip("/")
    os.rename(place, f"{directory.path}.elsewhere")
    os.symlink(f"{directory.path}.elsewhere", place)
    with pytest.raises(StorageError, match="symbolic links are not followed"):
        directory.shard(KEY)


def test_s7_a_file_of_another_user_is_refused(directory: SessionDirectory) -> None:
    if os.geteuid():
        lack("root, to give a file away")
    with directory.shard(KEY, create=True) as shard:
        path = Path(directory.file_path(KEY))
        path.touch(0o600)
        os.close(shard.open(KEY))
        os.chown(path, 65_534, 65_534)
        with pytest.raises(StorageError, match=r"the file belongs to \w+, but this runs as root"):
            shard.open(KEY)
