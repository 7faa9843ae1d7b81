"""Orders to a zygote, and its answers: here this test is the zygote."""

import mmap
import os
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from cgikit.host.guard import Guard
from cgikit.warm import requestfile
from cgikit.warm.messages import receive
from cgikit.warm.slottable import SIZE, SlotTable
from cgikit.warm.zygote import ENDED, ENDING, LEFT
from cgikit.warm.zygoteclient import ZygoteClient


class Child:
    """A child that notes what it hears."""

    def __init__(self) -> None:
        self.slot, self.pid, self.done, self.is_reaping = -1, 0, False, False
        self.heard: list[Any] = []
        self.fails = False

    def on_error(self, incident: str) -> None:
        """Note an error."""
        self.heard.append("ended")

    def forked(self, pid: int) -> None:
        """Note the process."""
        if self.fails:
            raise RuntimeError("of a test")
        self.heard.append(pid)

    def reaped(self, status: int | None, others: bool = False) -> None:
        """Note the end."""
        if self.fails:
            raise RuntimeError("of a test")
        self.heard.append((status, others))

    def kill_if_due(self) -> None:
        """Note the look at the clock."""
        self.heard.append("kill")

    def reap(self) -> None:
        """Note the order."""
        self.heard.append("reap")


class Pair:
    """A client and the zygote's end."""

    def __init__(self, patience: float = 60.0) -> None:
        ours, self.zygote = socket.socketpair()
        self.zygote.settimeout(60)
        self.table = SlotTable(mmap.mmap(-1, SIZE))
        self.learnt: list[str] = []
        guard = Guard(lambda line: None, lambda incident: None)
        self.client = ZygoteClient(ours, self.table, self.learnt.extend, guard, patience)

    def fork(self, child: Child) -> None:
        """Order a fork."""
        self.client.fork(child, "/a.py", None, ["word"], {"A": "é\udcff"}, (0, 1, 2))

    def answer(self, number: int, value: int) -> None:
        """Answer as the zygote does."""
        self.zygote.sendall(number.to_bytes(4, "big") + value.to_bytes(4, "big", signed=True))
        assert self.client.receive()

    def forked(self, pid: int = 77) -> Child:
        """A child that runs."""
        child = Child()
        self.fork(child)
        self.zygote.recv(4_096)
        self.answer(child.slot, pid)
        return child


@pytest.fixture
def pair() -> Iterator[Pair]:
    made = Pair()
    yield made
    made.client.sock.close()
    made.zygote.close()


def test_an_order_has_the_request_in_a_file_and_four_descriptors(pair: Pair) -> None:
    child = Child()
    pair.fork(child)
    head, descriptors, _, _ = socket.recv_fds(pair.zygote, 4, 8)
    try:
        assert len(descriptors) == 4
        order = pair.zygote.recv(int.from_bytes(head, "big"))
        assert b"QUERY" not in order
        assert b"word" not in order  # of the request nothing goes through the zygote
        assert requestfile.read(descriptors[3]) == (
            "",
            ["word"],
            [b"A"],
            ["é\udcff".encode("utf-8", "surrogateescape")],
        )
    finally:
        for fd in descriptors:
            os.close(fd)
    assert pair.client.children == {child.slot: child}


def test_an_order_says_what_to_run(pair: Pair) -> None:
    child = Child()
    pair.fork(child)
    assert receive(pair.zygote) == (child.slot, "/a.py", None, False, b"")


def test_a_child_hears_of_its_process(pair: Pair) -> None:
    child = pair.forked(77)
    assert (child.pid, child.heard) == (77, [77])


def test_a_failed_fork_frees_the_slot(pair: Pair) -> None:
    child = pair.forked(-11)
    assert (child.pid, child.heard) == (0, [-11])
    assert not pair.client.children
    assert pair.forked().slot == child.slot


def test_an_error_in_a_call_back_ends_one_child_and_its_process_is_known(pair: Pair) -> None:
    child, other = Child(), Child()
    child.fails = True
    for each in (child, other):
        pair.fork(each)
    pair.zygote.sendall(child.slot.to_bytes(4, "big") + (77).to_bytes(4, "big"))
    pair.answer(other.slot, 78)
    assert (child.pid, child.heard) == (77, ["ended"])
    assert other.heard == [78]


@pytest.mark.parametrize(
    ("value", "heard"),
    [
        (0, (None, False)),
        (ENDING, (0, False)),
        (ENDING + 3, (3, False)),
        (ENDING - 9, (-9, False)),
        (ENDING + LEFT, (0, True)),
    ],
)
def test_the_answer_to_a_reaping(pair: Pair, value: int, heard: tuple[int | None, bool]) -> None:
    child = pair.forked(77)
    pair.client.reap(child)
    order = pair.zygote.recv(4_096)
    assert int.from_bytes(order[:4], "big") == 8 | ENDED
    assert order[4:] == child.slot.to_bytes(4, "big") + (77).to_bytes(4, "big")
    pair.zygote.sendall((child.slot | ENDED).to_bytes(4, "big") + value.to_bytes(4, "big"))
    assert pair.client.receive()
    assert child.heard == [77, heard]
    lives = value == 0
    assert bool(pair.client.children) == lives
    assert child.pid == (77 if lives else 0)
    assert pair.table.pids[child.slot] == 0  # nobody wrote it here


def test_the_table_says_who_has_left(pair: Pair) -> None:
    child = pair.forked()
    assert pair.client.left_with(child) is None
    pair.table.statuses[child.slot] = 1
    assert pair.client.left_with(child) == 0


def test_a_new_child_does_not_inherit_the_end_of_an_older_one(pair: Pair) -> None:
    child = pair.forked()
    pair.table.statuses[child.slot] = 4
    pair.zygote.sendall((child.slot | ENDED).to_bytes(4, "big") + (ENDING + 3).to_bytes(4, "big"))
    pair.client.reap(child)
    pair.client.receive()
    pair.zygote.recv(4_096)
    other = pair.forked()
    assert other.slot == child.slot
    assert pair.client.left_with(other) is None


def test_what_a_child_had_to_import_is_learnt_when_it_is_reaped(pair: Pair) -> None:
    child = pair.forked(77)
    pair.table.write_names(77, ["json"])
    pair.client.reap(child)
    pair.zygote.sendall((child.slot | ENDED).to_bytes(4, "big") + ENDING.to_bytes(4, "big"))
    assert pair.client.receive()
    assert pair.learnt == ["json"]


def test_an_answer_in_pieces_waits_for_its_rest(pair: Pair) -> None:
    child = Child()
    pair.fork(child)
    data = child.slot.to_bytes(4, "big") + (77).to_bytes(4, "big")
    pair.zygote.sendall(data[:5])
    assert pair.client.receive()
    assert not child.heard
    assert not pair.client.has_news
    pair.zygote.sendall(data[5:])
    assert pair.client.receive()
    assert child.heard == [77]


def test_children_that_have_left_are_asked_for_again(pair: Pair) -> None:
    lives, done = pair.forked(77), pair.forked(78)
    done.done = True
    pair.client.reap_rest()
    assert lives.heard == [77]
    assert done.heard == [78, "kill", "reap"]


def test_the_end_of_the_zygote_is_seen(pair: Pair) -> None:
    pair.zygote.close()
    assert not pair.client.receive()


def test_a_zygote_that_answers_nothing_is_given_up() -> None:
    pair = Pair(patience=0.0)
    with pair.client.sock, pair.zygote:
        pair.client.look_at_clock()
        assert not pair.client.lost
        pair.fork(Child())
        pair.client.look_at_clock()
        assert pair.client.lost == "has not answered for 0 seconds"
        assert pair.client.has_news
        assert not pair.client.receive()


def test_a_zygote_that_takes_nothing_is_given_up() -> None:
    pair = Pair(patience=0.0)
    with pair.client.sock, pair.zygote:
        child = pair.forked()
        for _ in range(100_000):
            pair.client.reap(child)
            if pair.client.lost:
                break
        assert pair.client.lost == "has taken nothing for 0 seconds"


def test_a_living_child_is_asked_again_although_its_news_raised(pair: Pair) -> None:
    """It was never reaped: what had asked for that waited for the answer for ever."""
    child = pair.forked()
    child.is_reaping = child.fails = True
    pair.client.reap(child)
    pair.answer(child.slot | ENDED, 0)
    assert child.heard == [77, "ended"]
    assert not child.is_reaping
