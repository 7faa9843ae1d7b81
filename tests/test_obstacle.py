"""obstacle: an error names what really stands in the way, and following its advice helps."""

import errno
import json
import os
import pwd
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from nobody import NOBODY, forked_as_nobody
from requirement import lack, need

import cgikit
from cgikit import errors, jsonfile, lines, obstacle
from cgikit.sessions.store import Record

assert all(
    (errors, jsonfile, json, lines, obstacle, pwd, cgikit.FileStore, cgikit.Upload)
)  # loaded before the user changes
RECORD = Record(b"{}", 1.0, 2.0)
COUNT = "cgikit.Counter(path).increment()"
APPEND = "cgikit.append_line(path, 'x')"
WRITE = "cgikit.atomic_write(path, 'x')"


@pytest.fixture
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A directory of root's that others can reach: those of pytest they cannot."""
    if os.geteuid():
        lack("root, to become another user")
    found = Path("/var/tmp") / f"cgikit-obstacle-{os.getpid()}"
    found.mkdir(mode=0o755)
    found.chmod(0o755)
    try:
        yield found
    finally:
        subprocess.run([need("rm"), "-r", str(found)], check=True)


def tried(path: Path, code: str) -> str:
    """What becomes of it when another user does it."""

    def told(error: BaseException) -> str:
        return error.reason if isinstance(error, cgikit.StorageError) else repr(error)

    return forked_as_nobody(
        "/", code, {"cgikit": cgikit, "path": str(path), "RECORD": RECORD}, told
    )


def test_a_directory_that_cannot_be_entered(place: Path) -> None:
    (place / "data").mkdir(mode=0o700)
    said = tried(place / "data/n", COUNT)
    assert f"cannot enter {place}/data (of user 0 (root), group 0, mode 0700)" in said
    assert f"chmod a+x {place}/data" in said


def test_a_directory_that_cannot_be_written_in(place: Path) -> None:
    said = tried(place / "n", COUNT)
    assert f"{place} is of user 0 (root), group 0, mode 0755; " in said
    assert said.endswith(f"the script runs as user 65534, who must be able to write in {place}")


def test_a_directory_of_a_group_that_the_user_is_not_in(place: Path) -> None:
    os.chown(place, 0, 1)
    place.chmod(0o775)
    assert "its group may write there: add the user to that group" in tried(place / "n", COUNT)


@pytest.mark.parametrize("code", [COUNT, APPEND, "with cgikit.update_json(path) as x: x['a'] = 1"])
def test_a_file_of_another_user_that_cannot_be_read(place: Path, code: str) -> None:
    os.chown(place, NOBODY, NOBODY)
    file = place / "n"
    file.write_text("{}" if "json" in code else "1\n")
    file.chmod(0o600)
    said = tried(file, code)
    assert f"cannot read {file} (of user 0 (root), group 0, mode 0600)" in said
    follow(said)
    assert tried(file, code) == "done"


def test_a_file_of_another_user_that_cannot_be_written(place: Path) -> None:
    os.chown(place, NOBODY, NOBODY)
    file = place / "n"
    file.write_text("1\n")
    file.chmod(0o644)
    said = tried(file, APPEND)
    assert f"cannot write {file} (of user 0 (root), group 0, mode 0644)" in said
    follow(said)
    assert tried(file, APPEND) == "done"


def test_a_sticky_directory(place: Path) -> None:
    place.chmod(0o1777)
    file = place / "n"
    file.write_text("1\n")
    said = tried(file, WRITE)
    assert f"{place} has the sticky bit" in said
    follow(said)
    assert tried(file, WRITE) == "done"


def test_what_neither_owner_nor_mode_forbids(place: Path) -> None:
    os.chown(place, NOBODY, NOBODY)
    file = place / "n"
    file.write_text("1\n")
    os.chown(file, NOBODY, NOBODY)
    done = subprocess.run([need("chattr"), "+i", str(file)], capture_output=True, check=False)
    if done.returncode:
        lack("a file system with attributes")
    try:
        said = tried(file, WRITE)
    finally:
        subprocess.run([need("chattr"), "-i", str(file)], check=True)
    assert "its owner and mode do not forbid it: check attributes (lsattr)" in said


def follow(said: str) -> None:
    """Do as an error has told, as root."""
    (command,) = re.findall(r"(?:chown|chmod) \S+ \S+$", said)
    subprocess.run(command.split(), check=True)


# --- lock files -------------------------------------------------------------------------------


def owner(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_uid, found.st_gid, found.st_mode & 0o777


BY_ROOT = "import os, sys\nos.umask(0o077)\nimport cgikit\npath = sys.argv[1]\n"


def by_root(path: Path, code: str) -> None:
    subprocess.run([sys.executable, "-c", BY_ROOT + code, str(path)], check=True, timeout=60)


def test_a_lock_file_that_root_makes_locks_nobody_out(place: Path) -> None:
    """9/2.3: root had tried the script by hand, with umask 077."""
    data = place / "data"
    data.mkdir()
    os.chown(data, NOBODY, NOBODY)
    by_root(data / "n", "with cgikit.lock(path): pass")
    assert owner(data / "n.lock") == (NOBODY, NOBODY, 0o644)
    assert tried(data / "n", COUNT) == "done"


def test_a_lock_file_belongs_to_whom_the_file_belongs(place: Path) -> None:
    file = place / "n"
    file.write_text("1\n")
    os.chown(file, NOBODY, 1)
    file.chmod(0o660)
    by_root(file, COUNT)
    assert owner(place / "n.lock") == (NOBODY, 1, 0o660)


def test_a_lock_file_in_a_directory_for_everybody_is_not_for_everybody(place: Path) -> None:
    place.chmod(0o1777)
    by_root(place / "n", "with cgikit.lock(path): pass")
    assert owner(place / "n.lock") == (0, 0, 0o644)
    assert tried(place / "n", "with cgikit.lock(path, timeout=0): pass") == "done"


def test_a_lock_file_of_an_older_version_is_given_over_when_root_comes_again(place: Path) -> None:
    os.chown(place, NOBODY, NOBODY)
    beside = place / "n.lock"
    beside.touch()
    beside.chmod(0o600)
    said = tried(place / "n", COUNT)
    assert f"cannot read {beside} (of user 0 (root), group 0, mode 0600)" in said
    by_root(place / "n", "with cgikit.lock(path): pass")
    assert owner(beside) == (NOBODY, NOBODY, 0o644)
    assert tried(place / "n", COUNT) == "done"


def test_a_hard_link_to_an_empty_file_is_given_to_nobody(place: Path) -> None:
    precious = place / "precious"
    precious.touch(mode=0o600)
    data = place / "data"
    data.mkdir()
    os.chown(data, NOBODY, NOBODY)
    (data / "n.lock").hardlink_to(precious)
    by_root(data / "n", "with cgikit.lock(path): pass")
    assert owner(precious) == (0, 0, 0o600)


def test_f_an_owner_that_the_system_does_not_know_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a container root sees files of users that it cannot name: chown says EINVAL."""

    def unknown(*_: object) -> None:
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))

    (tmp_path / "n").write_text("1\n")
    if os.geteuid():
        lack("root, to give a file away")
    os.chown(tmp_path / "n", NOBODY, NOBODY)
    monkeypatch.setattr(os, "fchown", unknown)
    assert cgikit.Counter(tmp_path / "n").increment() == 2


# --- the same for sessions and uploads ----------------------------------------------------------


def test_a_store_of_sessions_names_what_stands_in_the_way(place: Path) -> None:
    said = tried(place, "cgikit.FileStore(path + '/sessions').save('ab' * 32, RECORD, new=True)")
    assert f"{place} is of user 0 (root), group 0, mode 0755" in said


def test_an_upload_names_what_stands_in_the_way(place: Path) -> None:
    said = tried(place, "u = cgikit.Upload('a', '', path); u.write(b'x' * 100_000)")
    assert f"{place} is of user 0 (root), group 0, mode 0755" in said
    said = tried(place, "u = cgikit.Upload('a'); u.write(b'x'); u.save(path + '/kept')")
    assert f"{place} is of user 0 (root), group 0, mode 0755" in said
