"""Opening regular files: what they are opened as. What is none stands in kinds/test_opens.py."""

import fcntl
import os
from pathlib import Path

import pytest

from cgikit.regularfile import NotRegular, open_regular


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(b"content")
    return path


def test_a_file_is_opened_for_reading(path: Path) -> None:
    fd = open_regular(path)
    try:
        assert os.read(fd, 100) == b"content"
        assert not os.get_inheritable(fd)
        # Else reading from it may fail instead of waiting, on file systems that heed it.
        assert not fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_NONBLOCK
    finally:
        os.close(fd)


def test_a_file_is_made_with_its_mode(tmp_path: Path) -> None:
    fd = open_regular(tmp_path / "new", os.O_WRONLY | os.O_CREAT, 0o600)
    os.close(fd)
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o600


def test_a_name_is_relative_to_a_directory(path: Path) -> None:
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.close(open_regular("file", dir_fd=directory))
        os.mkfifo("pipe", dir_fd=directory)
        with pytest.raises(NotRegular, match="FIFO"):
            open_regular("pipe", dir_fd=directory)
    finally:
        os.close(directory)


def test_a_link_is_followed_on_request_only(path: Path) -> None:
    link = path.parent / "link"
    link.symlink_to(path)
    os.close(open_regular(link, follow=True))
    with pytest.raises(OSError, match="symbolic links"):
        open_regular(link)


def test_a_link_to_what_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    with pytest.raises(NotRegular, match="it is a FIFO") as caught:
        open_regular(tmp_path / "link", follow=True)
    assert caught.value.filename == str(tmp_path / "link")


def test_a_device_is_refused() -> None:
    with pytest.raises(NotRegular, match="it is a device"):
        open_regular(os.devnull)


def test_it_is_an_error_of_both_kinds(tmp_path: Path) -> None:
    with pytest.raises(NotRegular) as caught:
        open_regular(tmp_path)
    assert isinstance(caught.value, OSError)
    assert isinstance(caught.value, ValueError)


def test_a_missing_file_is_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        open_regular(tmp_path / "missing")


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_refused_is_closed(tmp_path: Path, make) -> None:
    make(tmp_path / "thing")
    before = os.listdir("/proc/self/fd")
    with pytest.raises(NotRegular):
        open_regular(tmp_path / "thing")
    assert os.listdir("/proc/self/fd") == before
