"""What waits to be sent on a connection: in pieces, to a peer that takes it as it likes."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from cgikit.warm.outbox import MAX_PIECES, Outbox

SMALL = 4_608  # bytes; the least that Linux gives a socket for what is on its way


@pytest.fixture
def pair() -> Iterator[tuple[Outbox, socket.socket]]:
    """An outbox whose socket takes little at once, and the peer's end."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SMALL)
        ours.setblocking(False)
        theirs.settimeout(60)
        yield Outbox(ours), theirs


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
    pair: tuple[Outbox, socket.socket], tmp_path: Path, count: int, size: int, spooled: bool
) -> None:
    outbox, peer = pair
    wanted = pieces(count, size)
    outbox.put(wanted)
    outbox.put([b"the", memoryview(b" end")])
    whole = b"".join(wanted) + b"the end"
    assert outbox.waiting == len(whole)
    taken = b""
    if spooled:
        outbox.spill(1 << 20, str(tmp_path))
        outbox.put([b", and more"])
        whole += b", and more"
    while outbox.waiting:
        before = outbox.waiting
        assert outbox.flush() == before - outbox.waiting
        taken += peer.recv(1_000) if outbox.waiting else b""
    assert not outbox.is_spooled
    outbox._sock.shutdown(socket.SHUT_WR)
    while data := peer.recv(65_536):
        taken += data
    assert taken == whole


def test_nothing_to_send_is_nothing_sent(pair: tuple[Outbox, socket.socket]) -> None:
    outbox, peer = pair
    assert outbox.flush() == 0
    outbox.put([b""])
    assert outbox.flush() == 0
    assert not outbox.waiting
    peer.setblocking(False)
    with pytest.raises(BlockingIOError):
        peer.recv(1)


def test_a_peer_that_stalls_is_not_waited_for(pair: tuple[Outbox, socket.socket]) -> None:
    outbox, _ = pair
    outbox.put([bytes(1_000_000)])
    assert 0 < outbox.flush() < 1_000_000
    assert outbox.flush() == 0


def test_a_peer_that_is_gone_is_told(pair: tuple[Outbox, socket.socket]) -> None:
    outbox, peer = pair
    peer.close()
    for data in ([b"one"], [b"one", b"two"]):
        outbox.put(data)
        with pytest.raises(BrokenPipeError):
            outbox.flush()


def test_what_is_held_goes_out_when_it_is_released(
    pair: tuple[Outbox, socket.socket], tmp_path: Path
) -> None:
    outbox, peer = pair
    outbox.is_held = True
    outbox.spill(1 << 20, str(tmp_path))
    outbox.put([b"head", b"body"])
    assert outbox.flush() == 0
    outbox.is_held = False
    assert outbox.flush() == 8
    assert peer.recv(100) == b"headbody"


def test_what_was_put_into_a_spool_may_be_overwritten(
    pair: tuple[Outbox, socket.socket], tmp_path: Path
) -> None:
    """The script goes on, and its buffer with it, while the peer has taken nothing."""
    outbox, peer = pair
    buffer = bytearray(b"first")
    outbox.put([memoryview(buffer)])
    outbox.spill(1 << 20, str(tmp_path))
    buffer[:] = b"other"
    outbox.put([memoryview(buffer)])
    buffer[:] = b"third"
    outbox.flush()
    assert peer.recv(100) == b"firstother"


def test_a_spool_that_is_full_says_so_and_keeps_all(
    pair: tuple[Outbox, socket.socket], tmp_path: Path
) -> None:
    outbox, peer = pair
    outbox.is_held = True
    outbox.spill(100_000, str(tmp_path))
    outbox.put([bytes(100_000)])
    assert not outbox.is_full
    outbox.put([b"x" * 10])
    assert outbox.is_full
    outbox.is_held = False
    taken = b""
    outbox.flush()
    while outbox.waiting:
        taken += peer.recv(50_000)
        outbox.flush()
    assert not outbox.is_full
    outbox._sock.shutdown(socket.SHUT_WR)
    while data := peer.recv(65_536):
        taken += data
    assert taken == bytes(100_000) + b"x" * 10


def test_what_is_dropped_does_not_go_out(
    pair: tuple[Outbox, socket.socket], tmp_path: Path
) -> None:
    outbox, peer = pair
    outbox.is_held = True
    outbox.spill(1 << 20, str(tmp_path))
    outbox.put([b"held"])
    outbox.drop()
    assert (outbox.waiting, outbox.is_spooled) == (0, False)
    outbox.is_held = False
    outbox.put([b"page"])
    outbox.flush()
    assert peer.recv(100) == b"page"
