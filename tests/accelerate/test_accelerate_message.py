"""`cgikit.accelerate.message`: what a front sends, packed and unpacked; anything else is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cgikit.accelerate import message

TEXT = st.binary(max_size=20).map(lambda data: data.replace(b"\0", b"."))
NAME = st.binary(min_size=1, max_size=10).map(
    lambda data: data.replace(b"\0", b".").replace(b"=", b".")
)


@given(TEXT, TEXT, st.integers(0, 0o777), st.lists(TEXT), st.dictionaries(NAME, TEXT))
def test_a_message_comes_back(
    script: bytes, directory: bytes, umask: int, words: list[bytes], variables: dict[bytes, bytes]
) -> None:
    block = b"".join([name + b"=" + value + b"\0" for name, value in variables.items()])
    data = message.pack(script, directory, umask, words, block)
    assert message.size_of(data[: message.HEAD]) == len(data) - message.HEAD
    told = message.unpack(data[message.HEAD :])
    assert (told.script, told.directory, told.umask) == (script, directory, umask)
    assert told.arguments == words
    assert dict(zip(told.names, told.values, strict=True)) == variables


def test_the_first_of_two_variables_counts_and_what_has_no_name_is_none() -> None:
    data = message.pack(b"/s", b"/", 0, [], b"A=1\0A=2\0=x\0lonely\0B==\0")
    told = message.unpack(data[message.HEAD :])
    assert dict(zip(told.names, told.values, strict=True)) == {b"A": b"1", b"B": b"="}


@given(st.binary(max_size=60))
def test_anything_else_is_a_value_error(data: bytes) -> None:
    try:
        told = message.unpack(data)
    except ValueError:
        return
    assert data.startswith(message.VERSION)
    assert len(told.names) == len(told.values)


HEAD = b"cgikit 1\0/s\0/\0"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"cgikit 0\0/s\0/\0" + b"0\0" + b"0\0",
        HEAD + b"-1\0" + b"0\0",
        HEAD + b"0\0" + b"2\0" + b"a\0",
        HEAD + b"0\0" + b"0\0" + b"X=1",
    ],
)
def test_a_message_that_is_not_whole_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="message"):
        message.unpack(data)


def test_no_message_is_longer_than_a_socket_takes() -> None:
    with pytest.raises(ValueError, match="longer"):
        message.size_of(b"\x7f\xff\xff\xff")
