"""Messages between the processes of the engine: in pieces, whole, and one that never comes whole."""

import socket
import threading

import pytest

from cgikit.warm.messages import HEAD, Unpacker, exactly, pack, receive

MESSAGES = [("ready",), ("stale", "/a.py"), ("learnt", ["json", "json.decoder"]), ("here",)]


@pytest.mark.parametrize("size", [1, 3, 5, 1_000])
def test_messages_come_out_as_soon_as_they_are_whole(size: int) -> None:
    data = b"".join(map(pack, MESSAGES))
    unpacker, found = Unpacker(), []
    for at in range(0, len(data), size):
        for message in unpacker.feed(data[at : at + size]):
            found.append(message)
        ends = [len(b"".join(map(pack, MESSAGES[:count]))) for count in range(1, 5)]
        assert len(found) == sum(end <= at + size for end in ends)
    assert found == MESSAGES


def test_the_length_is_in_front() -> None:
    data = pack(MESSAGES[0])
    assert int.from_bytes(data[:HEAD], "big") == len(data) - HEAD


def test_a_message_is_waited_for_until_it_is_whole() -> None:
    ours, theirs = socket.socketpair()
    large = ("learnt", ["x" * 100] * 5_000)  # more than a socket takes at once
    with ours, theirs:
        sender = threading.Thread(target=theirs.sendall, args=(pack(large),))
        sender.start()
        assert receive(ours) == large
        sender.join(60)


@pytest.mark.parametrize("sent", [b"", b"\0\0", b"\0\0\0\x09abc"])
def test_the_end_of_the_other_process_ends_this_one(sent: bytes) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(sent)
        theirs.close()
        with pytest.raises(SystemExit) as error:
            receive(ours)
        assert error.value.code == 0


def test_a_reset_ends_the_process_as_well() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.sendall(b"unread")
        theirs.close()  # with bytes unread, which resets
        with pytest.raises(SystemExit):
            exactly(ours, 1)
