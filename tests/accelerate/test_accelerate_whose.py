"""Whose directory, whose daemon, whose front: nothing is used that somebody else could have put there.

Where root runs the tests, scripts run as another user, and some things belong to a third one.
"""

import os
import socket
from pathlib import Path

import pytest
from accelerating import USER, Site

OTHER = 12_346
SEEN = "import os; print('Content-Type: text/plain\\n\\n', os.getppid(), os.getuid())"
needs_root = pytest.mark.skipif(USER is None, reason="only root can give files away")


@pytest.fixture
def warm(site: Site, kind: str) -> Site:
    """A site with a daemon, which has run a script."""
    site.script("seen.py", SEEN)
    assert site.accelerate("--front", kind, "seen.py").returncode == 0
    pid = site.warm("seen.cgi")
    assert seen(site.warm_request("seen.cgi").stdout) == (pid, USER or os.getuid())
    return site


def seen(out: bytes) -> tuple[int, int]:
    """The parent of a script, and its user."""
    parent, user = out.partition(b"\n\n")[2].split()
    return int(parent), int(user)


def runs_directly(site: Site, **options: object) -> bool:
    """Whether a request runs directly, and says nothing in the directory: it may be anybody's."""
    before = site.direct()
    done = site.request("seen.cgi", **options)  # type: ignore[arg-type]
    assert (done.returncode, done.stderr) == (0, b"")
    return seen(done.stdout)[0] == os.getpid() and site.direct() == before


@needs_root
def test_a_directory_that_belongs_to_somebody_else(warm: Site) -> None:
    os.chown(warm.place, OTHER, OTHER)
    assert runs_directly(warm)


@pytest.mark.parametrize("mode", [0o750, 0o701, 0o777])
def test_a_directory_that_is_open_to_others(warm: Site, mode: int) -> None:
    warm.place.chmod(mode)
    assert runs_directly(warm)


def test_a_link_in_the_place_of_the_directory(warm: Site) -> None:
    real = warm.directory / "elsewhere"
    place = warm.place
    place.rename(real)
    place.symlink_to(real)
    assert runs_directly(warm)


@needs_root
def test_a_daemon_of_somebody_else(warm: Site) -> None:
    (warm.place / "s").unlink()
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(warm.place / "s"))
        listener.listen(1)
        warm.give(warm.place / "s")
        done = warm.request("seen.cgi")
        assert seen(done.stdout)[0] == os.getpid()
        assert warm.direct().endswith("o")
        connection, _ = listener.accept()
        with connection:
            assert connection.recv(1) == b""  # it was not told a word


@needs_root
def test_a_front_that_somebody_else_runs(warm: Site) -> None:
    for path in (warm.directory, warm.base):
        path.chmod(0o755)
    assert runs_directly(warm, user=OTHER, group=OTHER)
    assert seen(warm.request("seen.cgi", user=OTHER, group=OTHER).stdout)[1] == OTHER


@needs_root
def test_a_daemon_is_told_nothing_by_somebody_else(warm: Site) -> None:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(str(warm.place / "s"))
        assert sock.recv(400) == b"D it comes from user 0, group 0\n"


@needs_root
@pytest.mark.parametrize("what", ["base", "place"])
def test_the_command_refuses_a_directory_of_somebody_else(site: Site, what: str) -> None:
    site.script("seen.py", SEEN)
    assert site.accelerate("seen.py").returncode == 0
    path = site.base if what == "base" else site.place
    front = Path(site.folder / "seen.cgi")
    front.unlink()
    os.chown(path, OTHER, OTHER)
    path.chmod(0o755)
    done = site.accelerate("seen.py")
    assert done.returncode == 1
    assert f"{path} belongs to user {OTHER}".encode() in done.stderr
    assert not front.exists()
