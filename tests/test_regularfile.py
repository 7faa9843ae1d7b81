"""Regular files: what they are opened as, how they are written and closed.

What is refused because it is not a regular file stands in kinds/test_opens.py.
"""

import fcntl
import os
from pathlib import Path

import pytest

from cgikit.regularfile import NotRegular, close_quietly, open_regular, write_all


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


@pytest.mark.parametrize("at", [None, 4])
def test_what_a_system_takes_piece_by_piece_is_written_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int | None
) -> None:
    write, pwrite = os.write, os.pwrite
    monkeypatch.setattr(os, "write", lambda fd, data: write(fd, data[:3]))
    monkeypatch.setattr(os, "pwrite", lambda fd, data, offset: pwrite(fd, data[:3], offset))
    (tmp_path / "x").write_bytes(b"0123456789ABCDEF")
    fd = os.open(tmp_path / "x", os.O_WRONLY)
    try:
        assert write_all(fd, b"abcdefgh", at) == 8
        assert os.lseek(fd, 0, os.SEEK_CUR) == (8 if at is None else 0)
    finally:
        os.close(fd)
    whole = b"abcdefgh89ABCDEF" if at is None else b"0123abcdefghCDEF"
    assert (tmp_path / "x").read_bytes() == whole


def test_what_does_not_fit_is_an_error_and_no_short_write() -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)  # it takes what fits
    try:
        with pytest.raises(BlockingIOError):
            write_all(writer, bytes(1 << 21))
    finally:
        os.close(reader)
        os.close(writer)


def test_the_length_is_in_bytes_whatever_the_items_are(tmp_path: Path) -> None:
    fd = os.open(tmp_path / "x", os.O_WRONLY | os.O_CREAT)
    try:
        assert write_all(fd, memoryview(bytes(12)).cast("I")) == 12
        assert write_all(fd, bytearray()) == 0
    finally:
        os.close(fd)
    assert (tmp_path / "x").stat().st_size == 12


def test_closing_quietly_closes_and_says_nothing(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    close_quietly(fd)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)
    close_quietly(fd)
