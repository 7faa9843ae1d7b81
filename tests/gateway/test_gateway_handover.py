"""Connections from one process to another: none is lost, closed or doubled on the way."""

import os
import resource
import socket
from collections.abc import Iterator

import pytest

from cgikit.gateway.handover import Handover


@pytest.fixture
def handover() -> Iterator[Handover]:
    made = Handover.pair()
    yield made
    made.close()


def pairs(count: int) -> tuple[list[socket.socket], list[socket.socket]]:
    """Ends to be left, and the web server's ends."""
    both = [socket.socketpair() for _ in range(count)]
    return [one for one, _ in both], [other for _, other in both]


def all_received(handover: Handover) -> list[socket.socket]:
    found: list[socket.socket] = []
    while received := handover.receive():
        found += received
    return found


@pytest.mark.parametrize("count", [1, 200, 201, 450])
def test_what_is_left_is_taken_with_what_was_sent_on_it(handover: Handover, count: int) -> None:
    ours, theirs = pairs(count)
    assert handover.send(ours) == count
    for number, (one, other) in enumerate(zip(ours, theirs, strict=True)):
        one.close()
        other.sendall(b"%d" % number)  # while nobody has it
    received = all_received(handover)
    assert [one.recv(10) for one in received] == [b"%d" % number for number in range(count)]
    for one, other in zip(received, theirs, strict=True):
        assert not os.get_inheritable(one.fileno())
        assert one.gettimeout() is None
        one.close()
        assert other.recv(1) == b""  # nobody else has it
        other.close()


def test_where_nothing_waits_nobody_does(handover: Handover) -> None:
    assert handover.receive() == []
    assert handover.send([]) == 0
    assert handover.receive() == []


def test_what_nobody_takes_ends_with_the_last_who_could(handover: Handover) -> None:
    ours, theirs = pairs(3)
    handover.send(ours)
    for one in ours:
        one.close()
    handover.close()
    assert [other.recv(1) for other in theirs] == [b""] * 3
    for other in theirs:
        other.close()


def test_what_cannot_be_left_stays(handover: Handover) -> None:
    """The kernel lets an ordinary user have no more descriptors on their way than it may have open."""
    ours, theirs = pairs(300)
    reader, writer = os.pipe()
    pid = os.fork()
    if not pid:
        if os.geteuid() == 0:
            os.setuid(65_534)
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (100, hard))
        os.write(writer, b"%d" % handover.send(ours))
        os._exit(0)
    os.waitpid(pid, 0)
    left = int(os.read(reader, 10))
    os.close(reader)
    os.close(writer)
    received = all_received(handover)
    assert len(received) == left == 200  # the first message went before there were too many
    for one in ours + theirs + received:
        one.close()
