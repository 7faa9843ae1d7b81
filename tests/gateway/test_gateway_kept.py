"""Connections from one process to another: none is lost, closed or doubled on the way."""

import os
import resource
import socket
from collections.abc import Iterator

import pytest

from cgikit.gateway.kept import Kept


@pytest.fixture
def kept() -> Iterator[Kept]:
    made = Kept.pair()
    yield made
    made.close()


def pairs(count: int) -> tuple[list[socket.socket], list[socket.socket]]:
    """Ends to be left, and the web server's ends."""
    both = [socket.socketpair() for _ in range(count)]
    return [one for one, _ in both], [other for _, other in both]


def all_taken(kept: Kept) -> list[socket.socket]:
    found: list[socket.socket] = []
    while taken := kept.take():
        found += taken
    return found


@pytest.mark.parametrize("count", [1, 200, 201, 450])
def test_what_is_left_is_taken_with_what_was_sent_on_it(kept: Kept, count: int) -> None:
    ours, theirs = pairs(count)
    assert kept.leave(ours) == count
    for number, (one, other) in enumerate(zip(ours, theirs, strict=True)):
        one.close()
        other.sendall(b"%d" % number)  # while nobody has it
    taken = all_taken(kept)
    assert [one.recv(10) for one in taken] == [b"%d" % number for number in range(count)]
    for one, other in zip(taken, theirs, strict=True):
        assert not os.get_inheritable(one.fileno())
        assert one.gettimeout() is None
        one.close()
        assert other.recv(1) == b""  # nobody else has it
        other.close()


def test_where_nothing_waits_nobody_does(kept: Kept) -> None:
    assert kept.take() == []
    assert kept.leave([]) == 0
    assert kept.take() == []


def test_what_nobody_takes_ends_with_the_last_who_could(kept: Kept) -> None:
    ours, theirs = pairs(3)
    kept.leave(ours)
    for one in ours:
        one.close()
    kept.close()
    assert [other.recv(1) for other in theirs] == [b""] * 3
    for other in theirs:
        other.close()


def test_what_cannot_be_left_stays(kept: Kept) -> None:
    """The kernel lets an ordinary user have no more descriptors on their way than it may have open."""
    ours, theirs = pairs(300)
    reader, writer = os.pipe()
    pid = os.fork()
    if not pid:
        if os.geteuid() == 0:
            os.setuid(65_534)
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (100, hard))
        os.write(writer, b"%d" % kept.leave(ours))
        os._exit(0)
    os.waitpid(pid, 0)
    left = int(os.read(reader, 10))
    os.close(reader)
    os.close(writer)
    taken = all_taken(kept)
    assert len(taken) == left == 200  # the first message went before there were too many
    for one in ours + theirs + taken:
        one.close()
