"""The events of a connection, and variables that come twice or that no environment can hold."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgikit.gateway.fastcgiclient import Output
from cgikit.gateway.wire import (
    Aborted,
    BodyPiece,
    Event,
    RequestStarted,
    WireError,
    checked,
    merged,
    native,
)


def test_events_are_equal_if_all_that_they_say_is() -> None:
    assert RequestStarted(1, {"A": "b"}) == RequestStarted(1, {"A": "b"})
    assert BodyPiece(1, b"x") == BodyPiece(1, b"x")
    assert Aborted(3) == Aborted(3)
    different: list[tuple[Event, Event]] = [
        (RequestStarted(1, {"A": "b"}), RequestStarted(2, {"A": "b"})),
        (RequestStarted(1, {"A": "b"}), RequestStarted(1, {"A": "c"})),
        (BodyPiece(1, b"x"), BodyPiece(1, b"y")),
        (BodyPiece(1, b"x"), BodyPiece(2, b"x")),
        (Aborted(1), Aborted(2)),
        (BodyPiece(1, b"x"), Output(1, b"x")),
        (Aborted(1), Event(1)),
    ]
    for one, other in different:
        assert one != other


def test_an_event_shows_what_it_says_and_has_no_hash() -> None:
    assert repr(RequestStarted(1, {"A": "b"})) == "RequestStarted(1, {'A': 'b'})"
    assert repr(BodyPiece(2, b"x")) == "BodyPiece(2, b'x')"
    assert repr(Aborted(3)) == "Aborted(3,)"
    with pytest.raises(TypeError, match="unhashable"):
        hash(Aborted(3))


@pytest.mark.parametrize(
    ("pairs", "variables"),
    [
        ([], {}),
        ([("A", "1"), ("B", "2")], {"A": "1", "B": "2"}),
        ([("A", "1"), ("A", "2")], {"A": "2"}),
        ([("HTTP_A", "a"), ("HTTP_A", "b"), ("HTTP_A", "c")], {"HTTP_A": "a, b, c"}),
        ([("HTTP_COOKIE", "a=1"), ("HTTP_COOKIE", "b=2")], {"HTTP_COOKIE": "a=1; b=2"}),
        ([("HTTPS", "on"), ("HTTPS", "")], {"HTTPS": ""}),
    ],
)  # fmt: skip
def test_repeated_header_fields_are_joined_and_of_other_variables_the_last_one_counts(
    pairs: list[tuple[str, str]], variables: dict[str, str]
) -> None:
    assert merged(pairs) == variables


@pytest.mark.parametrize(
    "variables", [{"": "x"}, {"A=": "x"}, {"A\0": "x"}, {"A": "x\0"}, {"A": "1", "=": ""}]
)
def test_what_no_environment_can_hold_is_an_error_of_the_wire(variables: dict[str, str]) -> None:
    with pytest.raises(WireError, match="NUL, or its name is empty or contains '='"):
        checked(variables)


def test_what_an_environment_can_hold_is_decoded_as_file_names_are() -> None:
    assert checked({"A": "=x"}) == {"A": "=x"}
    assert checked({"Ã": "Ã¤"}) == {os.fsdecode(b"\xc3"): "ä"}
    assert checked({"A": "\xff"}) == {"A": "\udcff"}


@given(st.binary())
def test_native_text_gives_the_same_bytes(data: bytes) -> None:
    assert os.fsencode(native(data.decode("latin-1"))) == data


def test_text_that_no_bytes_were_decoded_to_is_an_error() -> None:
    with pytest.raises(UnicodeEncodeError):
        native("€")
