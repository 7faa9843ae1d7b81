"""A session's file: what is written is read, and what is none is handed over whole."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgikit.sessions.payload import MAX_BYTES
from cgikit.sessions.sessionfile import HEAD, parse, read, write
from cgikit.sessions.store import Record

TIMES = st.floats(0, 4e9)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("file") / "session"


@given(st.binary(), TIMES, TIMES)
def test_what_is_written_is_read(
    path: Path, payload: bytes, accessed: float, expires: float
) -> None:
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    try:
        write(fd, Record(payload, accessed, expires))
        os.lseek(fd, 0, os.SEEK_SET)
        record = read(fd)
    finally:
        os.close(fd)
    assert record.payload == payload
    assert record.accessed == pytest.approx(accessed, abs=1e-5)
    assert record.expires == pytest.approx(expires, abs=1e-5)


@given(st.binary())
def test_any_bytes_are_a_record_or_damage(raw: bytes) -> None:
    record = parse(raw, 5.0)
    assert record.accessed == 5.0
    if record.expires == float("inf"):
        assert record.payload in {raw, raw.partition(b"\n")[2]}
    else:
        assert raw.startswith(b"cgikit-session 1 ")


def test_no_more_is_read_than_can_be_right(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 33)  # 8 GiB of nothing
    fd = os.open(path, os.O_RDONLY)
    try:
        assert len(read(fd).payload) == MAX_BYTES + HEAD + 1
    finally:
        os.close(fd)
        path.unlink()


@pytest.mark.parametrize("end", [b"nan", b"inf", b"-inf", b"1e999", b"x", b""])
def test_an_end_that_is_no_time_is_damage_and_not_over(end: bytes) -> None:
    """Nothing is less than nan: such a session was deleted as dead, not set aside."""
    raw = b"cgikit-session 1 " + end + b"\npayload"
    record = parse(raw, 5.0)
    assert (record.payload, record.expires) == (raw, float("inf"))
