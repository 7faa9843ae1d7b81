"""The body of a request as it is received: counted, kept within its limit, read in any pieces."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgikit.errors import BodyNotReceived
from cgikit.gateway.spool import Spool
from cgikit.persistent.receivedbody import MEMORY, UNLIMITED, ReceivedBody


def body(length: int, limit: int | None = None, directory: Path | str = "") -> ReceivedBody:
    return ReceivedBody(length, length if limit is None else limit, str(directory))


def test_what_is_received_is_read() -> None:
    received = body(5)
    assert (received.is_owed, received.read(10)) == (True, None)
    received.add(b"abc")
    assert (received.read(2), received.read(2), received.read(2)) == (b"ab", b"c", None)
    received.add(b"de")
    assert (received.is_owed, received.received) == (False, 5)
    assert (received.read(-1), received.read(2)) == (b"de", None)
    received.ended = True
    assert received.read(2) == b""


def test_a_body_that_has_ended_is_not_owed_whatever_was_announced() -> None:
    received = body(100)
    received.add(b"a")
    received.ended = True
    assert not received.is_owed
    assert (received.read(5), received.read(5)) == (b"a", b"")


def test_a_piece_that_fits_is_handed_on_as_it_is() -> None:
    received, piece = body(3), b"abc"
    received.add(piece)
    assert received.read(3) is piece


@given(st.lists(st.binary(max_size=50), max_size=20), st.lists(st.integers(-1, 60)))
def test_it_is_read_as_it_was_written_however_it_is_cut(
    pieces: list[bytes], sizes: list[int]
) -> None:
    whole = b"".join(pieces)
    received = body(len(whole))
    for piece in pieces:
        if piece:
            received.add(piece)
    received.ended = True
    read = b"".join(received.read(size) or b"" for size in sizes)
    while data := received.read(7):
        read += data
    assert read == whole


def test_reading_nothing_takes_nothing() -> None:
    received = body(3)
    received.add(b"abc")
    assert (received.read(0), received.read(-1)) == (b"", b"abc")


def test_more_than_the_limit_is_counted_and_not_kept() -> None:
    received = body(UNLIMITED, limit=4)
    for piece in (b"abc", b"def", b"ghi"):
        received.add(piece)
    received.ended = True
    assert received.received == 9
    assert (received.read(-1), received.read(-1), received.read(-1)) == (b"abc", b"d", b"")


def test_what_does_not_fit_into_memory_waits_on_disk(tmp_path: Path) -> None:
    received = body(UNLIMITED, directory=tmp_path, limit=UNLIMITED)
    pieces = [bytes([number]) * MEMORY for number in range(4)]
    before = len(os.listdir("/proc/self/fd"))
    for piece in pieces:
        received.add(piece)
    assert len(os.listdir("/proc/self/fd")) == before + 1
    received.ended = True
    read = []
    while data := received.read(-1):
        read.append(data)
    assert b"".join(read) == b"".join(pieces)
    received.close()
    assert len(os.listdir("/proc/self/fd")) == before


def test_giving_up_is_an_error_after_what_has_come() -> None:
    received = body(10)
    received.add(b"abc")
    error = received.give_up()
    assert (error.status, received.is_owed) == (408, False)
    assert received.give_up() is error
    assert received.read(-1) == b"abc"
    with pytest.raises(BodyNotReceived) as caught:
        received.read(-1)
    assert caught.value is error
    received.add(b"late")
    received.ended = True
    with pytest.raises(BodyNotReceived):
        received.read(-1)


def test_a_disk_that_takes_nothing_is_an_error_and_a_line_in_the_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = tmp_path / "missing"
    received = body(UNLIMITED, directory=missing, limit=UNLIMITED)
    for _ in range(3):
        received.add(b"x" * MEMORY)
    assert received.failed is not None
    assert received.failed.status == 503
    assert capsys.readouterr().err == (
        f"cgikit: a request's body cannot be stored in {missing}: No such file or directory; make room "
        "there, or set TMPDIR\n"
    )
    assert received.read(-1) == b"x" * MEMORY


def test_a_full_disk_has_a_status_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    received = body(1)
    for number, status in ((28, 507), (122, 507), (5, 503)):
        received._fail(OSError(number, os.strerror(number)))
        assert received.failed is not None
        assert received.failed.status == status
        assert os.strerror(number) in capsys.readouterr().err
    received._fail(None)
    assert "the limit of the file is reached" in capsys.readouterr().err


def test_nothing_is_kept_once_the_handler_has_finished(tmp_path: Path) -> None:
    received = body(UNLIMITED, directory=tmp_path, limit=UNLIMITED)
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        received.add(b"x" * MEMORY)
    received.discard()
    received.add(b"more")
    assert received.received == 3 * MEMORY + 4
    assert received.read(-1) is None
    assert len(os.listdir("/proc/self/fd")) == before


def test_closing_twice_is_no_error(tmp_path: Path) -> None:
    received = body(9, directory=tmp_path)
    received.close()
    received.add(b"a")
    received.add(b"b")
    assert isinstance(received._spool, Spool)
    received.close()
    received.close()
