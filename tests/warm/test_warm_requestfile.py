"""A request in a file without a name: whole, and open to nobody but those who hold its descriptor."""

import os
import resource

import pytest

from cgikit.warm import requestfile
from cgikit.warm.requestfile import read, write

REQUEST = ("/srv", ["an argument"], [b"QUERY_STRING", b"HTTP_X"], [b"a=1", b"\xff" * 300_000])


@pytest.mark.parametrize("by_name", [False, True])
def test_a_request_is_read_as_it_was_written(
    by_name: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: str
) -> None:
    if by_name:  # as on systems without memfd_create
        monkeypatch.delattr(os, "memfd_create", raising=False)
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    file = write(REQUEST)
    try:
        assert read(file) == REQUEST
        assert read(file) == REQUEST  # wherever the descriptor stands
        assert not os.fstat(file).st_nlink
        assert not os.get_inheritable(file)
        assert os.listdir(tmp_path) == []
    finally:
        os.close(file)


def test_a_file_that_takes_no_more_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(file: int, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    before = os.listdir("/proc/self/fd")
    monkeypatch.setattr(requestfile.os, "write", full)
    with pytest.raises(OSError, match="No space"):
        write(REQUEST)
    assert os.listdir("/proc/self/fd") == before


def test_without_a_descriptor_there_is_an_error() -> None:
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    free = os.dup(0)
    os.close(free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free, limits[1]))
    try:
        with pytest.raises(OSError, match="Too many open files"):
            write(REQUEST)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
