"""SCGI as an application speaks it: every rule of the specification, and every way to break one."""

import tracemalloc
from typing import Any

import pytest
from corpus import cases, strays
from hypothesis import given, settings
from hypothesis import strategies as st
from torture import size
from wire import cuts, joined, outcome, variables

from cgikit.gateway.scgi import SCGI, build_variables, encode_request, parse_variables
from cgikit.gateway.wire import BodyPiece, RequestStarted, WireError


def test_every_case_is_whole() -> None:
    assert strays("scgi") == []


@pytest.mark.parametrize(("raw", "expected"), cases("scgi"))
def test_a_case(raw: bytes, expected: dict[str, Any]) -> None:
    expected = {key: value for key, value in expected.items() if key != "why"}
    if "events" in expected:
        assert joined(SCGI().receive(raw)) == expected["events"]
    for pieces in [[raw], *cuts(raw)]:
        found = outcome(SCGI, pieces)
        if "error" not in expected:
            assert found == expected
        else:
            # How many digits or bytes too many there are is known only as far as they have come.
            assert "error" in found


netstrings = st.lists(
    st.sampled_from([b"CONTENT_LENGTH", b"SCGI", b"0", b"1", b"5", b"A", b"", b"HTTP_A", b"\xff"])
).map(lambda pieces: b"".join(piece + b"\0" for piece in pieces))
streams = st.builds(
    lambda inside, after: b"%d:%b,%b" % (len(inside), inside, after),
    st.one_of(
        netstrings,
        st.binary(max_size=50),
        netstrings.map(lambda inside: b"CONTENT_LENGTH\x005\0SCGI\x001\0" + inside),
    ),
    st.binary(max_size=8),
)


@given(st.binary() | streams, st.data())
@settings(max_examples=size("hostile bytes"))
def test_any_bytes_give_events_or_a_wire_error_however_they_are_cut(
    raw: bytes, data: st.DataObject
) -> None:
    places = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=8)))
    pieces = [raw[a:b] for a, b in zip([0, *places], [*places, len(raw)], strict=True)]
    whole = outcome(SCGI, [raw])
    for way in (pieces, [raw[at : at + 1] for at in range(len(raw))]):
        found = outcome(SCGI, way)
        assert found == whole or ("error" in found and "error" in whole)


@given(variables, st.binary(max_size=300))
def test_a_request_there_and_back(sent: dict[str, str], body: bytes) -> None:
    sent = {"CONTENT_LENGTH": str(len(body)), "SCGI": "1", **sent}
    connection = SCGI()
    events = connection.receive(encode_request(sent, body))
    pieces = [BodyPiece(1, body)] if body else []
    assert events == [RequestStarted(1, sent), *pieces, BodyPiece(1, b"")]
    assert (connection.keep, connection.request) == (False, 1)


@given(variables)
def test_variables_there_and_back(sent: dict[str, str]) -> None:
    sent = {"CONTENT_LENGTH": "0", "SCGI": "1", **sent}
    assert parse_variables(build_variables(sent)) == sent


def test_the_beginning_is_put_in_order() -> None:
    raw = build_variables({"A": "b", "SCGI": "2", "CONTENT_LENGTH": "5"})
    assert raw == b"CONTENT_LENGTH\x005\0SCGI\x001\0A\0b\0"


def test_variables_of_256_kib_are_allowed_and_no_more() -> None:
    overhead = len(build_variables({"A": ""}))
    most = {"CONTENT_LENGTH": "0", "SCGI": "1", "A": "x" * (262_144 - overhead)}
    assert SCGI().receive(encode_request(most, b""))[0] == RequestStarted(1, most)
    with pytest.raises(WireError, match="262145 bytes, more than 262144"):
        SCGI().receive(encode_request({**most, "A": most["A"] + "x"}, b""))


def test_1024_variables_are_allowed_and_no_more() -> None:
    most = {"CONTENT_LENGTH": "0", "SCGI": "1", **{f"A{n}": "" for n in range(1_022)}}
    assert SCGI().receive(encode_request(most, b""))[0] == RequestStarted(1, most)
    with pytest.raises(WireError, match="the request has 1025 variables, more than 1024"):
        SCGI().receive(encode_request({**most, "A": ""}, b""))


def test_a_large_body_is_handed_on_and_not_kept() -> None:
    connection = SCGI()
    connection.receive(encode_request({"A": "b"}, b"x" * 30_000_000)[:100])
    piece = b"x" * 60_000
    tracemalloc.start()
    try:
        for _ in range(400):
            assert connection.receive(piece) == [BodyPiece(1, piece)]
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_the_answer_goes_out_as_it_is() -> None:
    connection = SCGI()
    connection.receive(encode_request({}, b""))
    assert connection.pieces(1, b"abc") == [b"abc"]
    assert connection.pieces(1, b"") == []
    assert connection.errors(1, b"abc") == b""
    assert connection.replies() == b""
    assert connection.finish(1, 3, b"def") == b"def"
    assert connection.request == 0
    with pytest.raises(ValueError, match="request 1 is not open"):
        connection.finish(1)


def test_no_room_is_an_answer_of_nothing() -> None:
    connection = SCGI()
    connection.receive(encode_request({}, b""))
    assert connection.refuse(1) == b""
    assert connection.request == 0


def test_a_request_is_complete_when_its_body_is() -> None:
    connection = SCGI()
    whole = encode_request({"REQUEST_METHOD": "POST"}, b"body")
    connection.receive(whole[:-1])
    assert not connection.complete
    connection.receive(whole[-1:])
    assert connection.complete
