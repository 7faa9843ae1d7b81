"""What waits to be sent on a connection: in pieces, to a peer that takes it as it likes."""

import socket
from collections.abc import Iterator

import pytest

from cgikit.gateway.scgi import SCGI
from cgikit.host.connection import MOST_PIECES, Connection

SMALL = 4_608  # bytes; the least that Linux gives a socket for what is on its way


@pytest.fixture
def pair() -> Iterator[tuple[Connection, socket.socket]]:
    """A connection whose socket takes little at once, and the peer's end."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL)
        ours.setblocking(False)
        yield Connection(ours, SCGI(), 0.0), theirs


def pieces(count: int, size: int) -> list[bytes | memoryview]:
    """Many pieces, all different, among them views and empty ones."""
    found: list[bytes | memoryview] = []
    for number in range(count):
        data = number.to_bytes(4, "big") * (size // 4)
        found += [data if number % 2 else memoryview(data), b""]
    return found


@pytest.mark.parametrize(
    ("count", "size"), [(1, 4), (1, 400_000), (3, 40_000), (3 * MOST_PIECES, 8), (400, 1_000)]
)
def test_all_goes_out_in_order_however_little_is_taken_at_once(
    pair: tuple[Connection, socket.socket], count: int, size: int
) -> None:
    connection, peer = pair
    wanted = pieces(count, size)
    connection.put(wanted)
    connection.put([b"the", memoryview(b" end")])
    whole = b"".join(wanted) + b"the end"
    assert connection.waiting == len(whole)
    taken = b""
    while connection.outbox:
        before = connection.waiting
        assert connection.flush() == before - connection.waiting
        taken += peer.recv(1_000) if connection.outbox else b""
        assert connection.waiting == sum(map(len, connection.outbox))
    assert connection.waiting == 0
    connection.sock.shutdown(socket.SHUT_WR)
    while data := peer.recv(65_536):
        taken += data
    assert taken == whole


def test_nothing_to_send_is_nothing_sent(pair: tuple[Connection, socket.socket]) -> None:
    connection, peer = pair
    assert connection.flush() == 0
    connection.put([b""])
    assert connection.flush() == 0
    assert not connection.outbox
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
