"""The header block of a script as a web server gets it: judged once, remembered, counted against."""

import pytest

from cgikit.host.output import ScriptResponse
from cgikit.host.problem import Problem
from cgikit.warm import header
from cgikit.warm.header import Header, KnownBlocks, written_block

PLAIN = b"Content-Type: text/plain\n\n"
SENT = b"Status: 200 OK\r\nContent-Type: text/plain\r\n\r\n"


def made(known: KnownBlocks | None = None, *, nph: bool = False, head: bool = False) -> Header:
    return Header({} if known is None else known, nph=nph, head=head)


@pytest.mark.parametrize("size", [1, 2, 7, 100])
def test_a_block_goes_out_with_the_beginning_of_the_body_however_it_comes(size: int) -> None:
    block, data, sent = made(), PLAIN + b"body", b""
    for at in range(0, len(data), size):
        piece = data[at : at + size]
        if not sent:
            sent = block.feed(piece) or b""
        else:
            sent += bytes(block.passed(piece))
    assert sent == SENT + b"body"
    assert block.size == 4


def test_a_block_that_is_known_is_not_judged_again() -> None:
    known: KnownBlocks = {}
    assert made(known).feed(PLAIN + b"1") == SENT + b"1"
    assert known == {PLAIN: (SENT, None)}
    known[PLAIN] = b"as remembered: ", 3
    again = made(known)
    assert again.feed(PLAIN + b"four") == b"as remembered: fou"
    assert again.is_whole


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    known: KnownBlocks = {}
    monkeypatch.setattr(header, "MAX_KNOWN", 3)
    for number in range(10):
        made(known).feed(b"X: %d\n" % number + PLAIN)
    made(known).feed(b"X: " + b"x" * 600 + b"\n" + PLAIN)
    assert len(known) == 3
    assert max(map(len, known)) < 100


def test_blocks_that_say_there_is_no_body_are_not_remembered() -> None:
    known: KnownBlocks = {}
    for status in (b"204 No Content", b"304 Not Modified"):
        block = made(known)
        assert block.feed(b"Status: " + status + b"\n\nbody") == b"Status: " + status + b"\r\n\r\n"
        assert block.passed(b"more") == b""
        assert block.mute
    assert not known


def test_an_announced_length_is_kept_to() -> None:
    block = made()
    sent = block.feed(b"Content-Length: 5\n" + PLAIN + b"123")
    assert sent is not None
    assert sent.endswith(b"\r\n\r\n123")
    assert block.is_short
    assert not block.is_whole
    assert block.passed(b"4567") == b"45"
    assert block.passed(b"8") == b""
    assert block.is_whole
    assert (block.announced, block.size) == (5, 8)


def test_without_a_length_nobody_can_tell_whether_all_has_come() -> None:
    block = made()
    block.feed(PLAIN)
    assert not block.is_whole
    assert not block.is_short


def test_for_head_the_body_stays_here_and_is_not_missed() -> None:
    block = made(head=True)
    sent = block.feed(b"Content-Length: 5\n" + PLAIN + b"123")
    assert sent is not None
    assert sent.endswith(b"\r\n\r\n")
    assert block.passed(b"x") == b""
    assert not block.is_short  # though only four of five have come


def test_a_local_redirect_is_told_and_has_no_body() -> None:
    block = made()
    sent = block.feed(b"Location: /there?a=1\n\n")
    assert block.redirect == "/there?a=1"
    assert sent == b"Status: 302 Found\r\nLocation: /there?a=1\r\n\r\n"


def test_an_nph_script_gives_its_own_status_line() -> None:
    known: KnownBlocks = {}
    block = made(known, nph=True)
    sent = block.feed(b"HTTP/1.1 402 Pay\r\nContent-Type: text/plain\r\n\r\nbody")
    assert sent == b"Status: 402 Pay\r\nContent-Type: text/plain\r\n\r\nbody"
    assert not known


def test_a_block_that_is_wrong_is_a_problem() -> None:
    with pytest.raises(Problem) as error:
        made().feed(b"no header\n\nbody")
    assert error.value.status == 500


def test_output_that_ends_before_its_block_is_told() -> None:
    assert made().end() is None  # nothing was printed
    block = made()
    assert block.feed(b"Content-Type: text/plain\n") is None
    problem = block.end()
    assert problem is not None
    assert problem.status == 500


def test_a_status_without_a_reason_gets_one() -> None:
    response = ScriptResponse(404, "", (("A", "b"),))
    assert written_block(response) == b"Status: 404 Not Found\r\nA: b\r\n\r\n"
