"""Where connections come from, and go to: a listening socket, and other workers."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from cgikit.gateway.handover import Handover
from cgikit.host.guard import Guard
from cgikit.warm.acceptor import Acceptor
from cgikit.warm.loop import Loop


class Place:
    """An acceptor with everything around it. `taken` are the connections that it gave."""

    def __init__(self, path: str, peers: str = "", handover: Handover | None = None) -> None:
        self.lines: list[str] = []
        self.taken: list[socket.socket] = []
        self.given_up: list[str] = []
        self.loop = Loop(Guard(self.lines.append, self.given_up.append))
        self.listener = socket.socket(socket.AF_UNIX if path else socket.AF_INET)
        self.listener.bind(path or ("127.0.0.1", 0))
        self.listener.listen()
        self.handover = handover or Handover.pair()
        self.acceptor = Acceptor(
            self.loop, self.listener, self.handover, peers, self.take, self.given_up.append
        )

    def take(self, sock: socket.socket) -> None:
        """Note a connection."""
        self.taken.append(sock)

    def connect(self) -> socket.socket:
        """A client's end."""
        client = socket.socket(self.listener.family)
        client.settimeout(60)
        client.connect(self.listener.getsockname())
        return client

    def close(self) -> None:
        """Close everything."""
        for sock in (*self.taken, self.listener):
            sock.close()
        self.handover.close()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(str(tmp_path / "socket"))
    yield made
    made.close()


def test_it_takes_connections_while_it_is_open(place: Place) -> None:
    with place.connect():
        place.loop.wait(0)
        assert not place.taken
        place.acceptor.open()
        place.acceptor.open()  # which does nothing
        place.loop.wait(60_000)
        (sock,) = place.taken
        assert not sock.getblocking()
    place.acceptor.shut()
    with place.connect():
        place.loop.wait(0)
        assert len(place.taken) == 1
        place.acceptor.open()
        place.loop.wait(60_000)
        assert len(place.taken) == 2


def test_who_has_come_is_taken_at_the_end_and_nobody_after(place: Place) -> None:
    place.acceptor.open()
    with place.connect(), place.connect(), place.connect():
        place.acceptor.end(replaced=False)
        assert len(place.taken) == 3
    assert place.listener.fileno() < 0
    place.acceptor.open()
    assert not place.acceptor.is_open
    place.acceptor.end(replaced=True)  # a second signal


def test_peers_that_may_not_connect_are_closed() -> None:
    place = Place("", peers="127.0.0.2")
    try:
        place.acceptor.open()
        with place.connect() as client:
            place.loop.wait(60_000)
            assert client.recv(1) == b""
        assert not place.taken
    finally:
        place.close()


def test_connections_go_to_another_worker_when_this_one_is_replaced(tmp_path: Path) -> None:
    first = Place(str(tmp_path / "first"))
    second = Place(str(tmp_path / "second"), handover=first.handover)
    try:
        first.acceptor.open()
        with first.connect() as client:
            first.loop.wait(60_000)
            (sock,) = first.taken
            assert not first.acceptor.hand_over(sock)
            first.acceptor.end(replaced=False)
            assert not first.acceptor.hand_over(sock)  # nobody takes its place
            first.acceptor.end(replaced=True)
            assert first.acceptor.hand_over(sock)
            sock.close()
            second.acceptor.open()
            second.loop.wait(60_000)
            (same,) = second.taken
            client.sendall(b"still there")
            same.setblocking(True)
            assert same.recv(100) == b"still there"
    finally:
        first.close()
        second.close()


def test_an_error_on_the_shared_way_ends_the_worker_and_one_at_the_door_does_not(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(sock: socket.socket) -> None:
        sock.close()
        raise RuntimeError("of a test")

    monkeypatch.setattr(place.acceptor, "_take", fails)
    place.acceptor.open()
    with place.connect():
        place.loop.wait(60_000)
    assert not place.given_up
    assert not place.acceptor.is_open  # until the next look at the clock
    place.acceptor.open()
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert place.handover.send([ours])
        place.loop.wait(60_000)
    assert len(place.given_up) == 1


def test_without_descriptors_connections_wait(place: Place) -> None:
    import resource

    place.acceptor.open()
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    with place.connect():
        free = os.dup(0)
        os.close(free)
        resource.setrlimit(resource.RLIMIT_NOFILE, (free, limits[1]))
        try:
            place.loop.wait(60_000)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, limits)
        assert not place.taken
        assert not place.acceptor.is_open
        place.acceptor.open()
        place.loop.wait(60_000)
        assert len(place.taken) == 1
