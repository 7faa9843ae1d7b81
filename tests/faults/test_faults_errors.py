"""F: every call of every save and load fails, with every errno that the system may give.

What must hold: the old value or the new one, the lock free, no descriptor and no temporary file
left, an error of our own that names the path; and the next writer succeeds.
"""

import errno
import itertools
import os
import resource
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from faults.kinds import LOADS, SAVES, Kind, content
from faults.seam import Seam, through

from cgikit import StorageError
from cgikit.files import temporary_name

ERRNOS = ["ENOSPC", "EDQUOT", "EIO", "EINTR", "EACCES", "EROFS", "ENOLCK", "EMFILE"]


@pytest.fixture
def places(tmp_path: Path) -> Iterator[Iterator[Path]]:
    """Directories, each empty, as many as are asked for; in memory, where there is such a place."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else tmp_path
    with tempfile.TemporaryDirectory(dir=memory) as root:
        yield map(empty, itertools.repeat(Path(root) / "place"))


def empty(place: Path) -> Path:
    if place.exists():
        for path in place.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    else:
        place.mkdir()
    return place


def names(place: Path) -> set[str]:
    return {path.name for path in place.rglob("*") if path.is_file()}


def descriptors() -> list[str]:
    return os.listdir("/proc/self/fd")


def attempt(kind: Kind, path: str, seam: Seam) -> StorageError | None:
    """Save through the seam; what our own error was."""
    with through(seam):
        try:
            kind.save(path, timeout=0)
        except StorageError as error:
            return error
    return None


@pytest.mark.parametrize("from_then_on", [False, True], ids=["once", "from then on"])
@pytest.mark.parametrize("number", ERRNOS)
@pytest.mark.parametrize("name", SAVES)
def test_f_every_call_of_a_save_fails(
    places: Iterator[Path], name: str, number: str, from_then_on: bool
) -> None:
    kind = SAVES[name]
    record = Seam()
    assert attempt(kind, kind.prepare(next(places)), record) is None
    assert len(record.made) > 5
    failed = 0
    for at, call in enumerate(record.made):
        place = next(places)
        path = kind.prepare(place)
        before = descriptors()
        seam = Seam(at, getattr(errno, number), from_then_on=from_then_on)
        error = attempt(kind, path, seam)
        where = f"{number} at {call}, call {at} of {record.made}"
        assert len(seam.made) > at, where
        assert descriptors() == before, where
        if error is None:
            assert content(path) == kind.new, where
        else:
            failed += 1
            assert kind.is_whole(content(path)), where
            assert error.path.startswith(str(place)), where
            assert error.path in str(error), where
            assert str(place) not in error.message, where
            assert error.__cause__ is None or error.__cause__.errno == seam.number, where
        if not from_then_on and not kind.orphan:
            assert names(place) <= {"state", "state.lock"}, where
        kind.save(path, timeout=0)  # the lock is free
        assert content(path) is not None, where
        assert names(place) <= {"state", "state.lock"}, where
    assert failed > len(record.made) / 3


@pytest.mark.parametrize("number", ERRNOS)
@pytest.mark.parametrize("name", LOADS)
def test_f_every_call_of_a_load_fails(tmp_path: Path, name: str, number: str) -> None:
    raw, value, load = LOADS[name]
    path = tmp_path / "state"
    path.write_bytes(raw)
    record = Seam()
    with through(record):
        assert load(str(path)) == value
    failed = 0
    for at, call in enumerate(record.made):
        before = descriptors()
        where = f"{number} at {call}, call {at} of {record.made}"
        with through(Seam(at, getattr(errno, number))):
            try:
                found = load(str(path), timeout=0)
            except StorageError as error:
                failed += 1
                found = str(error)
        assert found == value or str(path) in found, where
        assert descriptors() == before, where
        assert path.read_bytes() == raw
        assert load(str(path), timeout=0) == value
    assert failed
    assert names(tmp_path) <= {"state", "state.lock"}


@pytest.mark.parametrize("name", SAVES)
def test_f_short_writes_are_completed_or_taken_back(places: Iterator[Path], name: str) -> None:
    kind = SAVES[name]

    class Short(Seam):
        """Writes a third of what it is given, and fails in the turn `at`, as a full disk does."""

        def call(self, name, real, *words, **options):
            if name in {"write", "pwrite"}:
                fd, data, *rest = words
                words = (fd, bytes(data)[: len(data) // 3 + 1], *rest)
            return super().call(name, real, *words, **options)

    record = Short()
    path = kind.prepare(next(places))
    assert attempt(kind, path, record) is None
    assert content(path) == kind.new
    for at, call in enumerate(record.made):
        if "write" in call:
            path = kind.prepare(next(places))
            error = attempt(kind, path, Short(at, errno.ENOSPC))
            assert isinstance(error, StorageError)
            assert "free some space" in str(error)
            assert kind.is_whole(content(path))
            assert content(path) != kind.new


def test_f_an_error_after_the_rename_leaves_the_next_writers_file_alone(tmp_path: Path) -> None:
    kind = SAVES["write over a file"]
    path = kind.prepare(str(tmp_path))
    temporary = Path(temporary_name(path))

    class Late(Seam):
        """The rename is done, as over a network, and then its answer gets lost."""

        def call(self, name, real, *words, **options):
            found = super().call(name, real, *words, **options)
            if name == "replace":
                temporary.write_bytes(b"the next writer's")
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            return found

    assert isinstance(attempt(kind, path, Late()), StorageError)
    assert content(path) == kind.new
    assert temporary.read_bytes() == b"the next writer's"


def test_advice_fits_the_reason(tmp_path: Path) -> None:
    kind = SAVES["count"]
    path = kind.prepare(tmp_path)
    expected = {
        "ENOSPC": "free some space",
        "EDQUOT": "free some space",
        "EIO": "system's log",
        "EACCES": "must be able to write",
        "EROFS": "mounted read-only",
        "ENOLCK": "cannot lock",
        "EOPNOTSUPP": "cannot lock",
        "EMFILE": "ulimit",
        "ELOOP": "symbolic link",
    }
    attempt(kind, path, whole := Seam())
    flock = whole.made.index("flock")
    for number, advice in expected.items():
        error = attempt(kind, path, Seam(flock, getattr(errno, number)))
        assert error is not None
        assert advice in error.reason


def test_out_of_descriptors_for_real(tmp_path: Path) -> None:
    kind = SAVES["count"]
    path = kind.prepare(tmp_path)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    taken = [os.open(tmp_path, os.O_RDONLY) for _ in range(10)]
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(taken) + 1, hard))
    try:
        for fd in range(max(taken)):  # the holes below
            if not os.path.exists(f"/proc/self/fd/{fd}"):
                taken.append(os.dup(taken[0]))
        failed = 0
        while True:
            try:
                kind.save(path, timeout=0)
                break
            except StorageError as error:
                failed += "ulimit -n" in str(error)
                os.close(taken.pop())
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for fd in taken:
            os.close(fd)
    assert content(path) == kind.new
    assert failed == 3  # with none free, with one and with two; three do for a whole save
    assert names(tmp_path) == {"state", "state.lock"}
