"""FastCGI as an application speaks it: every rule of the specification, and every way to break one."""

import importlib.util
import tracemalloc
from pathlib import Path
from typing import Any, Self

import pytest
from corpus import cases, strays
from hypothesis import given, settings
from hypothesis import strategies as st
from torture import size
from wire import cuts, joined, outcome, values, variables

from cgikit.gateway.fastcgi import (
    ABORT_REQUEST,
    BEGIN_REQUEST,
    GET_VALUES,
    PARAMS,
    STDIN,
    FastCGI,
    build_variables,
    parse_variables,
)
from cgikit.gateway.fastcgiclient import (
    Ended,
    Errors,
    Output,
    Responses,
    encode_begin,
    encode_record,
    encode_request,
)
from cgikit.gateway.wire import BodyPiece, RequestStarted, WireError

GET = {"REQUEST_METHOD": "GET"}


def opened(body: bytes = b"", keep: bool = False) -> FastCGI:
    """A connection on which request 1 is open."""
    connection = FastCGI()
    connection.receive(encode_request(GET, body, keep))
    return connection


def record(raw: bytes) -> tuple[int, int, int, int]:
    """Type, number, length and padding of the first record in `raw`."""
    return raw[1], int.from_bytes(raw[2:4], "big"), int.from_bytes(raw[4:6], "big"), raw[6]


# --- what comes in ------------------------------------------------------------------------------


def test_every_case_is_whole() -> None:
    assert strays("fastcgi") == []


@pytest.mark.parametrize(("raw", "expected"), cases("fastcgi"))
def test_a_case(raw: bytes, expected: dict[str, Any]) -> None:
    expected = {key: value for key, value in expected.items() if key != "why"}
    if "events" in expected:
        whole = joined(FastCGI().receive(raw))
        assert whole == expected["events"]
    for pieces in [[raw], *cuts(raw)]:
        assert outcome(FastCGI, pieces) == expected


#: Records that mean something, in any order: far deeper than bytes at random would come.
records = st.builds(
    encode_record,
    st.sampled_from([BEGIN_REQUEST, ABORT_REQUEST, PARAMS, STDIN, GET_VALUES, 3, 6, 8, 99]),
    st.sampled_from([0, 1, 1, 1, 2, 65_535]),
    st.one_of(
        st.binary(max_size=40),
        st.sampled_from([b"", b"\0\1\0\0\0\0\0\0", b"\0\1\1\0\0\0\0\0", b"\0\2\1\0\0\0\0\0"]),
        variables.map(build_variables),
    ),
)
streams = st.lists(records | st.builds(encode_request, variables, st.binary(max_size=50))).map(
    b"".join
)


@given(st.binary() | streams | st.tuples(streams, st.binary()).map(b"".join), st.data())
@settings(max_examples=size("hostile bytes"))
def test_any_bytes_give_events_or_a_wire_error_however_they_are_cut(
    raw: bytes, data: st.DataObject
) -> None:
    places = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=8)))
    pieces = [raw[a:b] for a, b in zip([0, *places], [*places, len(raw)], strict=True)]
    whole = outcome(FastCGI, [raw])
    assert outcome(FastCGI, pieces) == whole
    assert outcome(FastCGI, [raw[at : at + 1] for at in range(len(raw))]) == whole


@given(variables, st.binary(max_size=300), st.booleans(), st.integers(1, 65_535))
def test_a_request_there_and_back(
    sent: dict[str, str], body: bytes, keep: bool, number: int
) -> None:
    connection = FastCGI()
    events = connection.receive(encode_request(sent, body, keep, number))
    pieces = [BodyPiece(number, body)] if body else []
    assert events == [RequestStarted(number, sent), *pieces, BodyPiece(number, b"")]
    assert (connection.keep, connection.request) == (keep, number)


@given(variables)
def test_variables_there_and_back(sent: dict[str, str]) -> None:
    assert parse_variables(build_variables(sent)) == sent


@given(st.binary())
@settings(max_examples=size("hostile bytes"))
def test_any_bytes_are_variables_or_a_wire_error(raw: bytes) -> None:
    try:
        found = parse_variables(raw)
    except WireError:
        return
    for name, value in found.items():
        assert name
        assert "=" not in name
        assert "\0" not in name + value


def test_a_body_longer_than_a_record() -> None:
    body = bytes(range(256)) * 1_000
    events = FastCGI().receive(encode_request(GET, body))
    pieces = [event.data for event in events[1:]]
    assert b"".join(pieces) == body
    assert [piece == b"" for piece in pieces] == [False] * (len(pieces) - 1) + [True]


# --- limits -------------------------------------------------------------------------------------


def with_variables(raw: bytes) -> bytes:
    """A request whose PARAMS stream holds `raw`, in records as large as can be."""
    pieces = [raw[at : at + 65_535] for at in range(0, len(raw), 65_535)]
    stream = [encode_record(PARAMS, 1, piece) for piece in [*pieces, b""]]
    return encode_begin() + b"".join(stream)


def test_variables_of_256_kib_are_allowed_and_no_more() -> None:
    overhead = len(build_variables({"A": "x" * 1_000}))
    most = {"A": "x" * (262_144 - overhead + 1_000)}
    assert len(build_variables(most)) == 262_144
    assert FastCGI().receive(with_variables(build_variables(most))) == [RequestStarted(1, most)]
    more = {"A": most["A"] + "x"}
    with pytest.raises(WireError, match="exceed 262144 bytes"):
        FastCGI().receive(with_variables(build_variables(more)))


def test_1024_variables_are_allowed_and_no_more() -> None:
    most = {f"A{number}": "" for number in range(1_024)}
    assert FastCGI().receive(with_variables(build_variables(most))) == [RequestStarted(1, most)]
    with pytest.raises(WireError, match="the request has 1025 variables, more than 1024"):
        FastCGI().receive(with_variables(build_variables({**most, "A": ""})))


def test_the_longest_query_that_limits_allow_fits() -> None:
    query = "q" * 65_536
    sent = {**GET, "QUERY_STRING": query, "REQUEST_URI": "/?" + query, "HTTP_COOKIE": "c" * 8_190}
    assert FastCGI().receive(encode_request(sent, b""))[0] == RequestStarted(1, sent)


def exhaust(connection: FastCGI, piece: bytes) -> None:
    """Send the same again and again, 5,000 times or until it is refused."""
    for _ in range(5_000):
        connection.receive(piece)


def test_variables_without_an_end_take_no_memory_without_an_end() -> None:
    connection = FastCGI()
    connection.receive(encode_begin())
    piece = encode_record(PARAMS, 1, b"x" * 60_000)
    tracemalloc.start()
    try:
        with pytest.raises(WireError, match="exceed"):
            exhaust(connection, piece)
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()


def test_a_large_body_is_handed_on_and_not_kept() -> None:
    connection = FastCGI()
    connection.receive(encode_begin() + encode_record(PARAMS, 1))
    piece = encode_record(STDIN, 1, b"x" * 60_000)
    half = len(piece) // 2
    tracemalloc.start()
    try:
        seen = 0
        for _ in range(500):
            for part in (piece[:half], piece[half:]):
                seen += sum(len(event.data) for event in connection.receive(part))
        assert seen == 30_000_000
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


def test_replies_that_nobody_takes_end_the_connection() -> None:
    connection = FastCGI()
    question = encode_record(GET_VALUES, 0, build_variables({"FCGI_MAX_CONNS": ""}))
    with pytest.raises(WireError, match="replies are waiting"):
        exhaust(connection, question)
    taking = FastCGI()
    for _ in range(5_000):
        taking.receive(question)
        assert taking.replies()
        assert taking.replies() == b""


def test_one_byte_at_a_time_takes_linear_time() -> None:
    """S16: bytes that are copied again with every byte that follows would be seen in the count."""

    class Counting(bytearray):
        copied = 0

        def __iadd__(self, more: bytes) -> Self:
            Counting.copied += len(more)
            super().__iadd__(more)
            return self

        def __bytes__(self) -> bytes:
            Counting.copied += len(self)
            return bytes(memoryview(self))

    connection = FastCGI()
    connection._held = Counting()
    raw = encode_request(GET, b"x" * 60_000)
    for at in range(len(raw)):
        connection.receive(raw[at : at + 1])
    assert len(raw) <= Counting.copied <= 3 * len(raw)


# --- what goes out ------------------------------------------------------------------------------


@given(st.binary(max_size=300), st.integers(0, 2**32 - 1), st.lists(st.binary(max_size=50)))
def test_an_answer_there_and_back(last: bytes, status: int, errors: list[bytes]) -> None:
    connection = opened()
    raw = connection.output(1, b"first")
    raw += b"".join(connection.errors(1, piece) for piece in errors)
    raw += connection.finish(1, status, last)
    for pieces in ([raw], [raw[at : at + 1] for at in range(len(raw))]):
        responses = Responses()
        events = [event for piece in pieces for event in responses.receive(piece)]
        output = b"".join(e.data for e in events if type(e) is Output)
        assert output == b"first" + last
        assert b"".join(e.data for e in events if type(e) is Errors) == b"".join(errors)
        assert events[-1] == Ended(1, status, 0)


@pytest.mark.parametrize("length", [1, 7, 8, 65_527, 65_528, 65_529, 65_535, 65_536, 200_000])
def test_output_is_cut_into_records_on_borders_of_eight_bytes(length: int) -> None:
    data = bytes(range(256)) * (length // 256 + 1)
    data = data[:length]
    connection = opened()
    pieces = b"".join(connection.pieces(1, memoryview(data)))
    for raw in (pieces, connection.output(1, data), connection.finish(1, 0, data)):
        at, found = 0, b""
        while at < len(raw):
            kind, number, size_, padding = record(raw[at:])
            assert (number, (8 + size_ + padding) % 8) == (1, 0)
            if kind == 6:
                found += raw[at + 8 : at + 8 + size_]
            at += 8 + size_ + padding
        assert at == len(raw)
        assert found == data
    assert [type(e) for e in Responses().receive(raw)][-1] is Ended


def test_of_what_goes_out_in_pieces_nothing_is_copied() -> None:
    data = memoryview(bytearray(200_000))
    pieces = opened().pieces(1, data)
    assert sum(len(p) for p in pieces if isinstance(p, memoryview) and p.obj is data.obj) == 200_000


def test_nothing_is_no_record() -> None:
    connection = opened()
    assert connection.output(1, b"") == b""
    assert connection.pieces(1, b"") == []
    assert connection.errors(1, b"") == b""


def test_the_end_ends_the_streams_that_were_used() -> None:
    connection = opened()
    plain = connection.finish(1)
    assert plain == encode_record(6, 1) + encode_record(3, 1, bytes(8))
    connection = opened()
    connection.errors(1, b"oh")
    assert connection.finish(1) == encode_record(7, 1) + plain
    connection = opened(keep=True)
    connection.errors(1, b"oh")
    connection.finish(1)
    connection.receive(encode_request(GET, b""))
    assert connection.finish(1) == plain  # what was used in one request is not in the next


def test_no_room_is_told() -> None:
    assert Responses().receive(opened().refuse(1)) == [Ended(1, 0, 2)]


@pytest.mark.parametrize("end", [FastCGI.finish, FastCGI.refuse])
def test_what_is_not_open_cannot_be_ended(end: Any) -> None:
    connection = opened()
    with pytest.raises(ValueError, match="request 2 is not open"):
        end(connection, 2)
    end(connection, 1)
    for number in (1, 0):
        with pytest.raises(ValueError, match="is not open"):
            end(connection, number)


def test_requests_follow_one_another_on_a_kept_connection() -> None:
    connection = FastCGI()
    for number in (1, 1, 2, 65_535, 1):
        connection.receive(encode_request(GET, b"x", True, number))
        assert (connection.keep, connection.request) == (True, number)
        assert Responses().receive(connection.finish(number)) == [Ended(number, 0, 0)]
        assert connection.request == 0
    connection.receive(encode_request(GET, b"x", False))
    assert not connection.keep


def test_a_body_that_nobody_waited_for_does_not_reach_the_next_request() -> None:
    connection = FastCGI()
    first = encode_request(GET, b"secret", True)
    events = connection.receive(first[:-24])  # all but the last piece of the body
    assert events == [RequestStarted(1, GET)]
    connection.finish(1)
    assert connection.receive(first[-24:]) == []
    assert connection.receive(encode_request(GET, b"")) == [
        RequestStarted(1, GET),
        BodyPiece(1, b""),
    ]


def test_an_aborted_request_is_open_until_it_is_finished() -> None:
    connection = opened()
    connection.receive(encode_record(ABORT_REQUEST, 1))
    assert connection.request == 1
    assert Responses().receive(connection.finish(1)) == [Ended(1, 0, 0)]


def test_what_it_says_of_itself_is_what_it_was_given() -> None:
    connection = FastCGI(connections=32, requests=64)
    names = {"FCGI_MAX_CONNS": "", "FCGI_MAX_REQS": "", "FCGI_MPXS_CONNS": ""}
    connection.receive(encode_record(GET_VALUES, 0, build_variables(names)))
    (values_,) = Responses().receive(connection.replies())
    assert values_.variables == {  # type: ignore[attr-defined]
        "FCGI_MAX_CONNS": "32", "FCGI_MAX_REQS": "64", "FCGI_MPXS_CONNS": "0",
    }  # fmt: skip


def test_before_the_first_request_the_connection_stays_open() -> None:
    assert FastCGI().keep


@given(values)
def test_undecodable_bytes_are_those_of_the_environment(value: str) -> None:
    assert parse_variables(build_variables({"A": value})) == {"A": value}


def test_loading_it_loads_nothing_dear() -> None:
    """A persistent script has it in memory beside itself, and forks with it."""
    for name in ("fastcgi", "wire", "scgi"):
        source = Path(str(importlib.util.find_spec(f"cgikit.gateway.{name}").origin)).read_text()
        top = [line for line in source.splitlines() if line.startswith(("import ", "from "))]
        assert [line for line in top if not line.startswith("from .")] == []


def test_a_request_is_complete_when_its_body_has_ended() -> None:
    """Closed any earlier, the peer's last record meets a closed connection: httpd answers 503."""
    connection = FastCGI()
    whole = encode_request(GET, b"body")
    for end in range(len(whole)):
        connection = FastCGI()
        connection.receive(whole[:end])
        assert not connection.complete
    connection.receive(whole[end:])
    assert connection.complete
    connection.finish(1)
    assert connection.complete
    connection.receive(encode_request(GET, b"")[:-8])
    assert not connection.complete
    connection.receive(encode_record(ABORT_REQUEST, 1))
    assert connection.complete
