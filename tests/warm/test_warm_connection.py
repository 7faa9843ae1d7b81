"""What waits to be sent on a connection: in pieces, to a peer that takes it as it likes."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from cgikit.gateway.scgi import SCGI
from cgikit.warm.connection import MAX_PIECES, Connection

SMALL = 4_608  # bytes; the least that Linux gives a socket for what is on its way


@pytest.fixture
def pair() -> Iterator[tuple[Connection, socket.socket]]:
    """A connection whose socket takes little at once, and the peer's end."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL)
        ours.setblocking(False)
        theirs.settimeout(60)
        yield Connection(ours, SCGI(), 0.0), theirs


def pieces(count: int, size: int) -> list[bytes | memoryview]:
    """Many pieces, all different, among them views and empty ones."""
    found: list[bytes | memoryview] = []
    for number in range(count):
        data = number.to_bytes(4, "big") * (size // 4)
        found += [data if number % 2 else memoryview(data), b""]
    return found


@pytest.mark.parametrize("spooled", [False, True])
@pytest.mark.parametrize(
    ("count", "size"), [(1, 4), (1, 400_000), (3, 40_000), (3 * MAX_PIECES, 8), (400, 1_000)]
)
def test_all_goes_out_in_order_however_little_is_taken_at_once(
    pair: tuple[Connection, socket.socket], tmp_path: Path, count: int, size: int, spooled: bool
) -> None:
    connection, peer = pair
    wanted = pieces(count, size)
    connection.put(wanted)
    connection.put([b"the", memoryview(b" end")])
    whole = b"".join(wanted) + b"the end"
    assert connection.waiting == len(whole)
    taken = b""
    if spooled:
        connection.spill(1 << 20, str(tmp_path))
        connection.put([b", and more"])
        whole += b", and more"
    while connection.waiting:
        before = connection.waiting
        assert connection.flush() == before - connection.waiting
        taken += peer.recv(1_000) if connection.waiting else b""
    assert not connection.is_spooled
    connection.sock.shutdown(socket.SHUT_WR)
    while data := peer.recv(65_536):
        taken += data
    assert taken == whole


def test_nothing_to_send_is_nothing_sent(pair: tuple[Connection, socket.socket]) -> None:
    connection, peer = pair
    assert connection.flush() == 0
    connection.put([b""])
    assert connection.flush() == 0
    assert not connection.waiting
    peer.setblocking(False)
    with pytest.raises(BlockingIOError):
        peer.recv(1)


def test_a_peer_that_stalls_is_not_waited_for(pair: tuple[Connection, socket.socket]) -> None:
    connection, _ = pair
    connection.put([bytes(1_000_000)])
    assert 0 < connection.flush() < 1_000_000
    assert connection.flush() == 0


def test_a_peer_that_is_gone_is_told(pair: tuple[Connection, socket.socket]) -> None:
    connection, peer = pair
    peer.close()
    for data in ([b"one"], [b"one", b"two"]):
        connection.put(data)
        with pytest.raises(BrokenPipeError):
            connection.flush()


def test_what_is_held_goes_out_when_it_is_released(
    pair: tuple[Connection, socket.socket], tmp_path: Path
) -> None:
    connection, peer = pair
    connection.is_held = True
    connection.spill(1 << 20, str(tmp_path))
    connection.put([b"head", b"body"])
    assert connection.flush() == 0
    connection.is_held = False
    assert connection.flush() == 8
    assert peer.recv(100) == b"headbody"


def test_what_was_put_into_a_spool_may_be_overwritten(
    pair: tuple[Connection, socket.socket], tmp_path: Path
) -> None:
    """The script goes on, and its buffer with it, while the peer has taken nothing."""
    connection, peer = pair
    buffer = bytearray(b"first")
    connection.put([memoryview(buffer)])
    connection.spill(1 << 20, str(tmp_path))
    buffer[:] = b"other"
    connection.put([memoryview(buffer)])
    buffer[:] = b"third"
    connection.flush()
    assert peer.recv(100) == b"firstother"


def test_a_spool_that_is_full_says_so_and_keeps_all(
    pair: tuple[Connection, socket.socket], tmp_path: Path
) -> None:
    connection, peer = pair
    connection.is_held = True
    connection.spill(100_000, str(tmp_path))
    connection.put([bytes(100_000)])
    assert not connection.is_full
    connection.put([b"x" * 10])
    assert connection.is_full
    connection.is_held = False
    taken = b""
    connection.flush()
    while connection.waiting:
        taken += peer.recv(50_000)
        connection.flush()
    assert not connection.is_full
    connection.sock.shutdown(socket.SHUT_WR)
    while data := peer.recv(65_536):
        taken += data
    assert taken == bytes(100_000) + b"x" * 10


def test_what_is_dropped_does_not_go_out(
    pair: tuple[Connection, socket.socket], tmp_path: Path
) -> None:
    connection, peer = pair
    connection.is_held = True
    connection.spill(1 << 20, str(tmp_path))
    connection.put([b"held"])
    connection.drop()
    assert (connection.waiting, connection.is_spooled) == (0, False)
    connection.is_held = False
    connection.put([b"page"])
    connection.flush()
    assert peer.recv(100) == b"page"
