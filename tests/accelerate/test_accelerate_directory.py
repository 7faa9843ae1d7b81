"""`cgikit.accelerate.directory`: which directories are refused, and whose."""

import os
import pwd
import socket
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from nobody import forked_as_nobody

from cgikit.accelerate import directory
from cgikit.accelerate.directory import Refusal


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A directory that would be allowed if it were not below the directory for temporary files. Its
    path is short: a socket's is below it.
    """
    monkeypatch.setattr(directory, "_TEMPORARY", ("/never",))
    with TemporaryDirectory(prefix="home-") as name:
        yield Path(os.path.realpath(name))


def made(base: Path, folder: str = "/nowhere") -> Path:
    return Path(directory.make(str(base), "1-abc", folder))


def test_it_is_closed_and_named_for_machine_user_and_interpreter(home: Path) -> None:
    end = directory.tail(1, "/f", "/python")
    assert end.startswith("1-")
    others = {directory.tail(2, "/f", "/python"), directory.tail(1, "/g", "/python"),
              directory.tail(1, "/f", "/python4")}  # fmt: skip
    assert len({end, *others}) == 4
    path = Path(directory.make(str(home / "b"), end, "/nowhere"))
    assert path == home / "b" / f"{socket.gethostname()}-{end}"
    assert path.stat().st_mode & 0o777 == 0o700
    assert directory.make(str(home / "b"), end, "/nowhere") == str(path)  # it is there already


def test_temporary_directories_are_refused(tmp_path: Path) -> None:
    for place in ("/tmp/x", "/var/tmp", "/dev/shm/a/b"):
        with pytest.raises(Refusal, match="files are removed; name a directory of your own"):
            directory.make(place, "1-a", "/nowhere")


@pytest.mark.parametrize("name", ["public_html", "www", "cgi-bin"])
def test_a_document_root_is_refused(home: Path, name: str) -> None:
    with pytest.raises(Refusal, match="web servers send what is there"):
        made(home / name / "state")
    assert not (home / name).exists()


def test_a_home_below_such_a_directory_is_no_document_root(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As /var/www/vhosts/example.org, where httpdocs alone is sent; but a home may be what is sent."""
    account = home / "www" / "example.org"
    account.mkdir(parents=True)

    def lives_in(path: Path) -> None:
        user = pwd.struct_passwd(
            ("name", "x", os.geteuid(), os.getegid(), "", str(path), "/bin/sh")
        )
        monkeypatch.setattr(pwd, "getpwuid", lambda number: user)

    lives_in(account)
    assert made(account / ".cgikit").is_dir()
    for refused in (account / "httpdocs" / "x", home / "www" / "x"):
        with pytest.raises(Refusal, match="web servers send what is there"):
            made(refused)
    lives_in(home / "www")
    with pytest.raises(Refusal, match="web servers send what is there"):
        made(home / "www" / ".cgikit")


def test_the_scripts_folder_is_refused(home: Path) -> None:
    with pytest.raises(Refusal, match="web servers send what is there"):
        made(home / "scripts" / "state", str(home / "scripts"))


def test_a_link_on_the_way_is_refused(home: Path) -> None:
    (home / "real").mkdir()
    (home / "link").symlink_to("real")
    with pytest.raises(Refusal, match=r"leads through a link to .*real"):
        made(home / "link" / "b")


def test_a_link_in_its_place_is_refused(home: Path) -> None:
    path = made(home / "b")
    path.rmdir()
    (home / "other").mkdir(mode=0o700)
    path.symlink_to(home / "other")
    with pytest.raises(Refusal, match="is not a directory"):
        made(home / "b")


@pytest.mark.parametrize("mode", [0o770, 0o702, 0o740])
def test_an_open_one_is_refused(home: Path, mode: int) -> None:
    made(home / "b").chmod(mode)
    with pytest.raises(Refusal, match=f"mode 0{mode:o}, and must have 0700: chmod 700"):
        made(home / "b")


@pytest.mark.parametrize(("mode", "refused"), [(0o777, True), (0o775, True), (0o1777, False)])
def test_one_that_others_could_replace_is_refused(home: Path, mode: int, refused: bool) -> None:
    (home / "open").mkdir()
    (home / "open").chmod(mode)
    if refused:
        with pytest.raises(Refusal, match="others can replace what is in it"):
            made(home / "open" / "b")
    else:
        assert made(home / "open" / "b").is_dir()


def test_a_path_that_is_too_long_for_a_socket_is_refused(home: Path) -> None:
    with pytest.raises(Refusal, match=r"bytes, and the path of a socket at most 107"):
        made(home / ("x" * 100))
    assert not (home / ("x" * 100)).exists()


def test_a_relative_path_is_refused() -> None:
    with pytest.raises(Refusal, match="not an absolute path"):
        directory.make("state", "1-a", "/nowhere")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root is refused as root")
def test_root_and_shared_users_are_refused() -> None:
    with pytest.raises(Refusal, match="runs as root, and scripts must not"):
        directory.check_user()
    names = {"check": directory.check_user}
    said = forked_as_nobody("/", "check()", names)
    assert said.startswith("Refusal: this command runs as 'nobody', a user whom all sites")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_somebody_elses_is_refused(home: Path) -> None:
    path = made(home / "b")
    os.chown(path, 12_345, 12_345)
    with pytest.raises(Refusal, match="belongs to user 12345, and this command runs as user 0"):
        made(home / "b")
    os.chown(home / "b", 12_345, 12_345)
    with pytest.raises(Refusal, match="belongs to user 12345, who could replace what is in it"):
        directory.make(str(home / "b"), "1-other", "/nowhere")
