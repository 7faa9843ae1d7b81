"""FastCGI as a web server speaks it: answers are taken apart, whatever an application sends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgikit.gateway.fastcgi import FastCGI, build_variables
from cgikit.gateway.fastcgiclient import (
    Ended,
    Errors,
    Output,
    Responses,
    Unknown,
    Values,
    encode_begin,
    encode_record,
)
from cgikit.gateway.wire import WireError

ANSWERS = [
    (encode_record(6, 1, b"out"), [Output(1, b"out")]),
    (encode_record(6, 1), []),
    (encode_record(7, 2, b"err"), [Errors(2, b"err")]),
    (encode_record(7, 2), []),
    (encode_record(3, 9, b"\1\2\3\4\2\0\0\0"), [Ended(9, 0x01020304, 2)]),
    (encode_record(10, 0, build_variables({"A": "b"})), [Values(0, {"A": "b"})]),
    (encode_record(11, 0, b"\x63\0\0\0\0\0\0\0"), [Unknown(0, 99)]),
]


@pytest.mark.parametrize(("raw", "events"), ANSWERS)
def test_an_answer(raw: bytes, events: list[object]) -> None:
    assert Responses().receive(raw) == events
    responses = Responses()
    one_by_one = [event for byte in raw for event in responses.receive(bytes((byte,)))]
    assert one_by_one == events


@pytest.mark.parametrize(
    "raw",
    [
        b"\2" + encode_record(6, 1)[1:],
        encode_record(1, 1, bytes(8)),
        encode_record(3, 1, bytes(7)),
        encode_record(10, 1),
        encode_record(10, 0, b"\5"),
        encode_record(11, 0, b""),
        encode_record(99, 1),
    ],
)
def test_what_is_no_answer(raw: bytes) -> None:
    with pytest.raises(WireError):
        Responses().receive(raw)


@given(st.binary())
def test_any_bytes_give_events_or_a_wire_error(raw: bytes) -> None:
    try:
        Responses().receive(raw)
    except WireError:
        pass


@pytest.mark.parametrize("role", [1, 2, 3, 258])
def test_a_role_has_two_bytes(role: int) -> None:
    connection = FastCGI()
    connection.receive(encode_begin(5, False, role))
    assert connection.request == (5 if role == 1 else 0)


def test_events_are_equal_when_they_say_the_same() -> None:
    different = [Output(1, b"a"), Output(2, b"a"), Output(1, b"b"), Errors(1, b"a"), Ended(1, 0, 0)]
    different += [Ended(1, 1, 0), Ended(1, 0, 1), Values(0, {}), Unknown(0, 1), Errors(1, b"b")]
    for place, event in enumerate(different):
        assert [other == event for other in different].index(True) == place
        assert sum(other == event for other in different) == 1
    assert repr(Errors(1, b"a")) == "Errors(1, b'a')"
